"""The stamps along a poster's edge are seen on what they are printed on, whatever colour a merchant chooses (3:1)."""

from collections import Counter

import pypdfium2
import pytest

from dashboard.services import posters
from merchants.rules import colours
from tests.dashboard.test_posters import FACTS

LEAST = 3.0
CHOSEN = ["#FFFFFF", "#FFE000", "#F5B83D", "#00FFFF", "#FFC0CB", "#E8E8E8", "#2F3BBF", "#000000"]


@pytest.mark.parametrize("color", CHOSEN)
@pytest.mark.parametrize("size", posters.SIZES)
def test_a_printed_stamp_stands_out_from_its_ground(color: str, size: str) -> None:
    # Points have no gift at the end of the row: every mark is a stamp.
    facts = posters.Facts(**{**FACTS, "color": color, "stamps": None})
    image = pypdfium2.PdfDocument(posters.draw(size, facts, "fr"))[0].render(scale=1.5).to_pil().convert("RGB")

    # On sheets the lower edge is paper, on the tent the merchant's colour.
    edge = image.crop((0, round(image.height * 0.88), image.width // 2, image.height))
    (ground, _all), (ink, often), *_ = Counter(edge.get_flattened_data()).most_common()

    assert often > edge.width * edge.height * 0.02, "a stamp is more than its edges"
    assert colours.contrast(*("#{:02X}{:02X}{:02X}".format(*one) for one in (ground, ink))) >= LEAST
