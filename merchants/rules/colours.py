"""A merchant's colour on pages: what can be read on it and beside it (WCAG 2.2: text 4.5, stamps 3)."""

import re

WHITE, INK, BLACK = "#FFFFFF", "#1B1C2E", "#000000"
GOLD_LIGHT, GOLD_DARK = "#FFD98A", "#6E4700"
READABLE = 4.5
# Stamps are large: they need less against the light tray.
SEEN = 3.0
FALLBACK = "#2F3BBF"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def palette(colour: str) -> dict[str, str]:
    """Return the custom properties of a merchant's theme.css for its card's colour.

    Text on the card reads on its whole gradient, from light to deep; stamps read on white.
    """
    base = colour.upper() if _COLOUR.fullmatch(colour) else FALLBACK
    on = _text_on(base)
    light, deep = _shade(base, WHITE, on, (0.12, 0.08, 0.04)), _shade(base, BLACK, on, (0.25, 0.15, 0.05))
    accent = GOLD_LIGHT if on == WHITE else GOLD_DARK
    if min(contrast(accent, ground) for ground in (base, light)) < READABLE:
        accent = on
    return {
        "merchant": base, "merchant-light": light, "merchant-deep": deep, "on-merchant": on,
        "on-merchant-accent": accent, "on-merchant-wash": f"{on}24", "stamp": _stamp(base),
    }  # fmt: skip


def ratio(colour: str) -> float:
    """Return how well writing reads on a colour: in white or in our ink, the better one counts."""
    return max(contrast(text, colour) for text in (WHITE, INK))


def reads(colour: str) -> bool:
    """Tell whether a merchant may choose the colour: what is no colour at all is for others to refuse."""
    return not _COLOUR.fullmatch(colour) or ratio(colour) >= READABLE


def nearest(colour: str) -> str:
    """Return the shade next to a colour, darker or lighter, on which writing reads and which stamps may have."""
    steps = (_mix(colour, end, step / 100) for step in range(1, 101) for end in (BLACK, WHITE))
    return next((one for one in steps if ratio(one) >= READABLE and contrast(one, WHITE) >= SEEN), INK)


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _text_on(base: str) -> str:
    """Return the text colour: white where it reads, else our ink; black for the few colours that `reads` refuses."""
    return next((text for text in (WHITE, INK) if contrast(text, base) >= READABLE), BLACK)


def _shade(base: str, towards: str, text: str, shares: tuple[float, ...]) -> str:
    """Return the colour a little lighter or darker, as far as the text still reads on it."""
    shades = (_mix(base, towards, share) for share in shares)
    return next((shade for shade in shades if contrast(text, shade) >= READABLE), base)


def _stamp(base: str) -> str:
    """Return the colour for stamps and words on white: darkened until it reads."""
    shades = (_mix(base, BLACK, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, WHITE) >= READABLE)


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{int(one + (two - one) * share + 0.5):02X}" for one, two in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    parts = [value / 255 for value in _channels(colour)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
