"""The companies' badges in a real browser: their own artwork, high enough, named, in every language on every phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from loyalty import extensions
from tests.browser.conftest import clean
from tests.support.inspector import PHONE
from tests.support.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# As wide as the companies draw them, at 35 units of height; scripts in a file must stay what they are: text.
WIDTHS = {"apple-en": 111, "apple-fr": 126, "apple-de": 132, "google-en": 127, "google-fr": 148, "google-de": 156}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 35"><script>document.title = "ran"</script>'
    '<style>.t {{ fill: #FFF; font: 9px sans-serif }}</style><rect width="{width}" height="35" rx="6"/>'
    '<text class="t" x="38" y="20">{name}</text></svg>'
)
SHOWN = """() => [...document.querySelectorAll(".wallet-badge > img")].map((one) =>
  [one.getAttribute("alt"), one.naturalWidth > 0, one.getBoundingClientRect().height,
   one.getBoundingClientRect().width / one.getBoundingClientRect().height, new URL(one.src).pathname])"""


@pytest.fixture
def both_wallets(tmp_path: Path, settings: Any) -> Iterator[None]:
    """Offer both wallets, with artwork in three languages."""
    settings.LOYALTY_WALLET_BADGES_DIR = str(tmp_path)
    for name, width in WIDTHS.items():
        (tmp_path / f"{name}.svg").write_text(SVG.format(width=width, name=name))
    kept = list(extensions._links)
    extensions._links[:] = [lambda _card: {"apple_url": "/apple", "google_url": "/google"}]
    yield
    extensions._links[:] = kept


@pytest.mark.usefixtures("both_wallets")
@pytest.mark.parametrize(("language", "drawn"), [("en", "en"), ("fr", "fr"), ("de", "de"), ("lb", "fr")])
def test_each_language_has_its_badges(site: Any, inspector: Any, language: str, drawn: str) -> None:
    world, browser = World.make(), Client()
    browser.post(f"/loyalty/{world.store.code}/enroll", {"language": language})
    seen = inspector(browser, language=language)

    for page in ("dashboard", "welcome"):
        seen.visit(f"/loyalty/{world.store.code}/{page}", width=PHONE, language=language)
        shown = seen.page.evaluate(SHOWN)
        assert [path.rpartition("/")[2].rsplit("-", 1)[0] for *_, path in shown] == [
            f"apple-{drawn}",
            f"google-{drawn}",
        ]
        assert all(f"{name} Wallet" in alt for (alt, *_), name in zip(shown, ("Apple", "Google"), strict=True))
        for _alt, loaded, height, shape, path in shown:
            assert loaded
            assert height >= 48
            width = WIDTHS[path.rpartition("/")[2].rsplit("-", 1)[0]]
            assert shape == pytest.approx(width / 35, abs=0.03), "unaltered: neither stretched nor cut"
    assert seen.page.title() != "ran"
    seen.page.goto(f"{site.url}{shown[0][-1]}")
    assert seen.page.evaluate("document.title") != "ran", "not even where somebody opens the file by itself"
    # The browser says that it did not run the file's script: that is the point.
    seen.faults = {name: found for name, found in seen.faults.items() if "/media/badges/" not in name}
    clean(seen, at_least=2)
