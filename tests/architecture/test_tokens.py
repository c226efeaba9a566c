"""The tokens' colours pass WCAG 2.2 AA, computed from the file: 4.5 for text, 3 for edges and icons."""

import re
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "static"
TOKENS = (CORE / "core" / "tokens.css").read_text(encoding="utf-8")
TEXT, EDGE = 4.5, 3.0
# What stands on what: foreground, ground, least ratio.
PAIRS = [
    *[
        ("text", ground, TEXT)
        for ground in ("paper", "surface", "well", "ink-wash", "ok-wash", "warn-wash", "bad-wash")
    ],
    *[("muted", ground, TEXT) for ground in ("paper", "surface", "well")],
    *[("ink", ground, TEXT) for ground in ("paper", "surface", "ink-wash")],
    ("on-fill", "ink-fill", TEXT),
    ("on-fill", "ink-pressed", TEXT),
    ("on-fill", "brand", TEXT),
    ("gold-text", "gold-wash", TEXT),
    ("text", "gold-wash", TEXT),
    ("on-gold", "gold", TEXT),
    *[(tone, ground, TEXT) for tone in ("ok", "warn", "bad") for ground in (f"{tone}-wash", "surface")],
    *[("edge", ground, EDGE) for ground in ("paper", "surface")],
    ("ink-fill", "surface", EDGE),
    *[(name, "frame", TEXT) for name in ("frame-text", "frame-muted", "frame-ok", "frame-warn")],
    ("frame-text", "camera", TEXT),
    ("frame-muted", "camera", TEXT),
    ("frame-text", "frame-well", TEXT),
    ("on-merchant", "merchant", TEXT),
    ("on-merchant", "merchant-light", TEXT),
    ("on-merchant-accent", "merchant", TEXT),
    ("on-merchant-accent", "merchant-light", TEXT),
    ("stamp", "tray", EDGE),
    ("tray-text", "tray", TEXT),
]


def block(selector: str) -> dict[str, str]:
    match = re.search(re.escape(selector) + r"\s*\{([^}]*)\}", TOKENS)
    assert match is not None, selector
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", match.group(1)))


LIGHT = block(':root,\n[data-bs-theme="light"]')
DARK = block('[data-bs-theme="dark"],\n[data-theme="dark"]')
AUTO = block('[data-bs-theme="auto"],\n  [data-theme="auto"]')
SAME = block("sizes. */\n:root")
THEMES = {"light": {**SAME, **LIGHT}, "dark": {**SAME, **DARK}}


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_computes_the_known_ratios() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#1B1C2E", "#F6F4EF") == pytest.approx(15.3, abs=0.05)
    assert contrast("#F5B83D", "#F6F4EF") == pytest.approx(1.6, abs=0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_passes_contrast(theme: str, front: str, ground: str, least: float) -> None:
    tokens = THEMES[theme]

    ratio = contrast(tokens[front], tokens[ground])

    assert ratio >= least, f"{front} on {ground} is {ratio:.2f} in {theme}"


def test_follows_the_system_with_the_values_of_dark() -> None:
    assert AUTO == DARK
    assert set(DARK) == set(LIGHT)


def test_maps_only_onto_tokens_that_exist() -> None:
    defined = set(re.findall(r"--([\w-]+):", TOKENS))

    used = set(re.findall(r"var\(--([\w-]+)\)", TOKENS))

    assert used <= defined


def test_sheets_use_only_tokens_that_exist() -> None:
    defined = set(re.findall(r"--([\w-]+):", TOKENS))

    for sheet in sorted(CORE.rglob("*.css")):
        if "vendor" in sheet.parts:
            continue
        text = sheet.read_text(encoding="utf-8")
        # Parts of one sheet stand in one folder and know each other's properties.
        own = {name for part in sheet.parent.glob("*.css") for name in re.findall(r"--([\w-]+):", part.read_text())}
        missing = set(re.findall(r"var\(--([\w-]+)\)", text)) - defined - own
        assert missing == set(), sheet.name


def test_sheets_are_free_of_important() -> None:
    hits = [
        sheet.name for sheet in CORE.rglob("*.css") if "vendor" not in sheet.parts and "!important" in sheet.read_text()
    ]

    assert hits == []
