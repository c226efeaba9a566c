"""Promise 16: the API's own document is sent back to it, what it allows and what it does not, and judges each answer.

First every operation once with a body that works, so that its success is seen and held against the document; then
schemathesis with ids that exist, so that the search gets past the 404s (tests/loyalty/api/test_fuzz.py sends made-up
ones). Bounded, and the same on every run; each case is undone, so that the next one finds the house as it was.
"""

from collections import Counter, defaultdict
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation.modes import GenerationMode

from core import tenancy
from stores.models import Store
from tests.architecture import sweep
from tests.architecture.routes import STORE_API, Use
from tests.support import uploads
from tests.support.document import OPERATIONS, THINGS, Callers, fault
from tests.support.house import House, undone
from tests.support.own_api import BODIES

EXAMPLES = 6
BOUNDED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip
# What is written beside an operation, in a transaction of its own.
LEFT = (*sweep.NOTED, "stores_pinguard", "stores_staffpin")


@pytest.fixture
def house(db: None, settings: Any) -> House:
    """A house whose store gives on customers' phones, too."""
    settings.LOYALTY_THROTTLE_SCALE = 1_000_000
    house = House.make("ours")
    with tenancy.scope(house.world.merchant_id):
        Store.objects.update(own_device_enabled=True)
    return house


@pytest.fixture
def callers(house: House) -> Callers:
    return Callers(house)


def uses() -> dict[str, Use]:
    """Return how each operation is used, by its label in the document."""
    routes = [
        (method, pattern, use) for pattern, route in sweep.routes(STORE_API) for method, use in route.uses.items()
    ]
    bodies = {key: Use((), body) for key, body in BODIES.items()}
    routes += [(*key.split(" ", 1), use) for key, use in bodies.items()]
    found = {f"{method} /" + sweep.PLACEHOLDER.sub(lambda name: f"{{{name[1]}}}", path): use
             for method, path, use in routes}  # fmt: skip
    return defaultdict(lambda: Use(()), found)


def working(operation: Any, house: House) -> Any:
    """Return a case that works, after what has to happen before it."""
    use, path = uses()[operation.label], {name: str(house.ids[name]) for name in house.ids}
    body = use.body_for(house)
    if use.first is not None:
        use.first(house)
    parts: dict[str, Any] = {"path_parameters": {name: path[name] for name in path if f"{{{name}}}" in operation.path}}
    if isinstance(body, bytes):
        parts |= {"body": {"image": uploads.picture()}, "media_type": "multipart/form-data"}
    elif body is not None:
        parts |= {"body": body, "media_type": "application/json"}
    if operation.label == "POST /api/v1/store/loyalty/program":
        parts["headers"] = {"X-Store-Code": second_store(house)}
    return operation.Case(**parts)


def second_store(house: House) -> str:
    """Open a store that runs no program of its own."""
    with tenancy.scope(house.world.merchant_id):
        return str(Store.objects.create(code=f"{house.world.store.code}-2", name="Second").code)


@pytest.mark.slow
def test_promise_16_every_operation_succeeds_as_the_document_says(house: House, callers: Callers) -> None:
    faults = {}

    for label, operation in OPERATIONS.items():
        with undone():
            case = working(operation, house)
            answer = callers.send(case)
        wrong = fault(case, answer)
        if wrong or answer.status_code >= 400:
            faults[label] = wrong or f"{answer.status_code} {answer.content[:300]!r}"

    assert not faults, "\n".join(f"{label}: {wrong}" for label, wrong in faults.items())
    assert len(OPERATIONS) > 80


@pytest.mark.slow
@pytest.mark.parametrize("who", ["terminal", "person", "nobody"])
def test_promise_16_tills_people_and_strangers_are_answered_as_the_document_says(
    house: House, callers: Callers, who: str
) -> None:
    faults, statuses = {}, Counter[int]()

    for label, operation in OPERATIONS.items():
        if operation.method.upper() == "GET" or who == "nobody":
            with undone():
                case = working(operation, house)
                answer = callers.send(case, who)
            statuses[answer.status_code] += 1
            if fault(case, answer):
                faults[label] = fault(case, answer)

    assert not faults, "\n".join(f"{label}: {wrong}" for label, wrong in faults.items())
    assert statuses[401] > 50 if who == "nobody" else statuses[200] > 8, statuses


class Sweep:
    """What was sent, and what came back that should not have."""

    def __init__(self, callers: Callers) -> None:
        self.callers, self.ids = callers, callers.house.ids
        self.statuses, self.faults = Counter[int](), {}

    def run(self, operation: Any, mode: GenerationMode) -> None:
        """Send a bounded number of cases of one operation."""

        @given(case=operation.as_strategy(generation_mode=mode))
        @BOUNDED
        def one(case: Any) -> None:
            self.aim(case)
            with undone():
                answer = self.callers.send(case)
            self.statuses[answer.status_code] += 1
            if fault(case, answer):
                self.faults[f"{operation.label} {case.query} {case.body!r}"[:300]] = fault(case, answer)

        try:
            one()
        except Unsatisfiable:
            assert operation.path.endswith("{store_code}"), "only a path of any text has no wrong value"

    def aim(self, case: Any) -> None:
        """Put ids that exist in the place of those made up."""
        for name in set(case.path_parameters or {}) & set(self.ids):
            case.path_parameters[name] = str(self.ids[name])
        case.headers = {name: value for name, value in (case.headers or {}).items() if name != "X-Store-Code"}
        for part in (case.body, case.query):
            for name in set(part if isinstance(part, dict) else ()) & set(THINGS):
                part[name] = str(self.ids[THINGS[name]])
        if isinstance(case.body, dict) and "card_id" in case.body:
            case.body = {key: value for key, value in case.body.items() if key not in ("qr_code", "card_number")}


@pytest.mark.slow
def test_promise_16_every_answer_is_one_that_the_document_describes(house: House, callers: Callers) -> None:
    before, found = house.picture(without=LEFT), Sweep(callers)

    for operation, mode in product(OPERATIONS.values(), GenerationMode):
        found.run(operation, mode)

    assert not found.faults, "\n".join(f"{label}: {wrong}" for label, wrong in found.faults.items())
    assert sum(found.statuses[status] for status in (200, 201, 202, 204)) > 100, found.statuses
    assert sum(found.statuses.values()) > 400
    assert house.picture(without=LEFT) == before
