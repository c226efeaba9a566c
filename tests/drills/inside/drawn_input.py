"""Promise 16 from inside: schemathesis draws requests from the API's document, right and wrong ones, over real HTTP."""

from collections import Counter
from itertools import product
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation.modes import GenerationMode

from tests.drills.inside import callers
from tests.drills.wire import Browser
from tests.support.document import THINGS, closed, fault
from tests.support.house import House

SECONDS = 30
# What ends things comes last, so that everything before finds them.
LAST = ("erase", "merge", "freeze", "DELETE")


def main(*, base: str, examples: int) -> dict[str, Any]:
    """Draw so many requests of each kind for each operation, and let the document judge the answers."""
    house = callers.house("drawn")
    found = Drawing(house, callers.everybody(house, base), base, examples)
    schema = schemathesis.openapi.from_dict(closed())
    operations = [one.ok() for one in schema.get_all_operations()]
    operations.sort(key=lambda one: any(word in one.label for word in LAST))
    for operation, mode in product(operations, GenerationMode):
        if "/admin/" not in operation.path:
            found.run(operation, mode)
    return {"faults": found.faults, "statuses": found.statuses}


class Drawing:
    """What was drawn, and how it was answered."""

    def __init__(self, house: House, everybody: dict[str, Browser], base: str, examples: int) -> None:
        self.house, self.everybody, self.base = house, everybody, base
        self.statuses, self.faults = Counter[int](), list[str]()
        self.bounded = settings(
            max_examples=examples, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
        )  # fmt: skip

    def run(self, operation: Any, mode: GenerationMode) -> None:
        """Send what is drawn for one operation."""

        @given(case=operation.as_strategy(generation_mode=mode))
        @self.bounded
        def one(case: Any) -> None:
            self._send(case)

        try:
            one()
        except Unsatisfiable:
            # A path of any text has no wrong value.
            return

    def _send(self, case: Any) -> None:
        self._aim(case)
        own = "/storefront/" in case.operation.path or case.operation.path.startswith(("/stamp/", "/points/"))
        proof = self.everybody["card" if own else "key"].headers
        answer = case.call(base_url=self.base, headers=proof, timeout=SECONDS)
        self.statuses[answer.status_code] += 1
        if wrong := fault(case, answer):
            self.faults.append(f"{case.operation.label} {case.query} {case.body!r}"[:200] + f": {wrong[:300]}")

    def _aim(self, case: Any) -> None:
        """Put ids that exist in the place of those made up."""
        ids = self.house.ids
        for name in set(case.path_parameters or {}) & set(ids):
            case.path_parameters[name] = str(ids[name])
        case.headers = {name: value for name, value in (case.headers or {}).items() if name != "X-Store-Code"}
        for part in (case.body, case.query):
            for name in set(part if isinstance(part, dict) else ()) & set(THINGS):
                part[name] = str(ids[THINGS[name]])
