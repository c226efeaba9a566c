"""Whatever colour a merchant chooses, the stamps of its passes are seen on their tray (3:1, UI's accessibility)."""

from collections import Counter

import pytest

from merchants.rules import colours
from wallets.providers.pictures import apple, public, strips

LEAST = 3.0
# Light and loud ones, for which the card's own colour would vanish on white; and the ends of the scale.
CHOSEN = [
    "#FFFFFF", "#FFFEF0", "#FFE000", "#FFD98A", "#F5B83D", "#00FFFF", "#7FFF00", "#FFC0CB", "#E8E8E8", "#C0C0C0",
    "#FF8C00", "#40E0D0", "#2F3BBF", "#5A2D1A", "#13704A", "#000000",
]  # fmt: skip


@pytest.mark.parametrize("wide", [apple.STRIP, public.HERO], ids=["strip", "hero"])
@pytest.mark.parametrize("color", CHOSEN)
def test_a_printed_stamp_stands_out_from_the_tray(color: str, wide: strips.Wide) -> None:
    full, empty = (
        strips.draw(strips.Look(color, "cup", "a-seed", stamps, 10), wide).convert("RGB") for stamps in (9, 0)
    )

    pairs = zip(full.get_flattened_data(), empty.get_flattened_data(), strict=True)
    printed = Counter(new for new, old in pairs if new != old)
    ink, often = printed.most_common(1)[0]

    assert often > full.width * full.height * 0.02, "a stamp is more than its edges"
    assert colours.contrast("#{:02X}{:02X}{:02X}".format(*ink), strips.TRAY) >= LEAST
