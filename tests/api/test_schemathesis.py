"""Promise 16: schemathesis reads the API's own document and sends what it allows and what it does not.

With ids that exist, so that the search gets past the 404s (tests/loyalty/api/test_fuzz.py sends made-up ones), and to
the storefront and the public API, too. Bounded, and the same on every run.
"""

import json
from collections import Counter
from itertools import product
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation.modes import GenerationMode

from core.api.schema import document
from loyalty.queries import access
from loyalty_platform.wsgi import application
from tests.support.house import House

EXAMPLES = 12
schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document(), default=str)))
schema.app = application
OPERATIONS = [found.ok() for found in schema.get_all_operations()]
BOUNDED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip


def send(case: Any, house: House) -> Any:
    """Send a case, with ids that exist."""
    storefront = "/storefront/" in case.operation.path
    proof = f"Card {access.secret_of(house.card)}" if storefront else f"Bearer {house.world.key_text}"
    for name in set(case.path_parameters or {}) & set(house.ids):
        case.path_parameters[name] = str(house.ids[name])
    case.headers = {name: value for name, value in (case.headers or {}).items() if name != "X-Store-Code"}
    if isinstance(case.body, dict):
        for name in set(case.body) & {"card_id", "reward_id", "staff_id", "store_code"}:
            case.body[name] = str(house.ids[name])
        if "card_id" in case.body:
            case.body = {key: value for key, value in case.body.items() if key not in ("qr_code", "card_number")}
    return case.call(headers={"Authorization": proof})


def problems(answer: Any) -> str:
    """Return what is wrong with an answer: "" for a success or a problem document."""
    kind = str(answer.headers.get("content-type"))
    if answer.status_code >= 500 or (answer.status_code >= 400 and "application/problem+json" not in kind):
        return f"{answer.status_code} {answer.content[:300]!r}"
    return ""


class Sweep:
    """What was sent, and what came back that should not have."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.statuses, self.faults = Counter[int](), {}

    def run(self, operation: Any, mode: GenerationMode) -> None:
        """Send a bounded number of cases of one operation."""

        @given(case=operation.as_strategy(generation_mode=mode))
        @BOUNDED
        def one(case: Any) -> None:
            answer = send(case, self.house)
            self.statuses[answer.status_code] += 1
            if problems(answer):
                self.faults[f"{operation.label} {case.query} {case.body!r}"[:300]] = problems(answer)

        try:
            one()
        except Unsatisfiable:
            assert operation.path.endswith("{store_code}"), "only a path of any text has no wrong value"


@pytest.mark.slow
def test_nothing_that_the_document_describes_falls(real_db: Any, settings: Any) -> None:
    settings.LOYALTY_THROTTLE_SCALE = 1_000_000
    sweep = Sweep(House.make("ours"))

    for operation, mode in product(OPERATIONS, GenerationMode):
        sweep.run(operation, mode)

    assert sweep.faults == {}
    assert sweep.statuses[200] + sweep.statuses[201] > 100, sweep.statuses
    assert sum(sweep.statuses.values()) > 400
    sweep.house.world.assert_adds_up(sweep.house.card)


def test_the_document_is_of_all_the_api() -> None:
    assert len(OPERATIONS) > 25
