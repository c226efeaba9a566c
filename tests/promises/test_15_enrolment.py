"""Promise 15 at its full size: time tells 1,000 known from 1,000 unknown addresses with an AUC of 0.55 at most.

Status, shape, length and work of the answers are compared in tests/loyalty/api/test_reveals_nothing.py, with the ways
of asking that this drill uses, too.
"""

from typing import Any

import pytest

from tests.loyalty.api.test_reveals_nothing import Street, measured

SAMPLES = 1_000
MOST = 0.55


@pytest.mark.slow
@pytest.mark.parametrize("way", ["enroll", "recover"])
def test_promise_15_a_thousand_known_and_a_thousand_unknown_addresses(real_db: Any, way: str, settings: Any) -> None:
    """With 1,000 each an AUC of 0.55 is four standard errors above chance: no second try is needed."""
    settings.LOYALTY_THROTTLE_SCALE = 1_000_000
    street = Street(known=SAMPLES)
    ask = getattr(street, way)
    for number in range(50):
        ask(90_000 + number, known=False)

    assert measured(ask, SAMPLES) <= MOST
