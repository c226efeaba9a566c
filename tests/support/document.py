"""The OpenAPI document as a judge: who may call an operation, and whether an answer is one that the document describes.

Objects are closed here, so that a field which the document does not name is a fault, too.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.api.schema import document
from loyalty.queries import access
from loyalty_platform.wsgi import application
from stores.queries.devices import TERMINAL_COOKIE
from tests.support.desk import Desk
from tests.support.house import House

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
OWN_DEVICE = ("/stamp/", "/points/")
# Names in a body or a query that stand for a thing, which schemathesis would make up: the id of a house to put there.
THINGS = {
    "card_id": "card_id", "pass_id": "card_id", "into": "spare_id", "reward_id": "reward_id", "staff_id": "staff_id",
    "store_code": "store_code", "store": "store_code", "merchant": "merchant_id", "customer": "customer_id",
}  # fmt: skip


def closed() -> dict[str, Any]:
    """Return the document with every object of the answers closed."""
    found: dict[str, Any] = deepcopy(json.loads(json.dumps(document(), default=str)))
    for name, component in found["components"]["schemas"].items():
        if component.get("type") == "object" and "properties" in component and not name.endswith("Request"):
            component.setdefault("additionalProperties", False)
    return found


SCHEMA = schemathesis.openapi.from_dict(closed())
SCHEMA.app = application
OPERATIONS = {operation.label: operation for operation in (found.ok() for found in SCHEMA.get_all_operations())}


class Callers:
    """Everybody who calls the API about one house."""

    def __init__(self, house: House) -> None:
        self.house, self._card = house, access.secret_of(house.card)
        self._till = {"cookies": {TERMINAL_COOKIE: house.terminal_token}}
        store = {"headers": {"X-Store-Code": house.world.store.code}}
        self._person = {"cookies": {"sessionid": house.person().cookies["sessionid"].value}, **store}
        self._desk = {"cookies": {"sessionid": Desk.open().cookies["sessionid"].value}}

    def send(self, case: Any, who: str = "") -> Any:
        """Send a case as somebody who may, or as a till, a person or nobody."""
        with connection_kept():
            return case.call(**self._proof(case.operation.path, who))

    def _proof(self, path: str, who: str) -> dict[str, Any]:
        """Return what one sends along: a card's secret, the platform's session or an API key, by the address."""
        if who:
            return {"nobody": {}, "terminal": self._till, "person": self._person}[who]
        if "/admin/" in path:
            return self._desk
        if "/storefront/" in path or path.startswith(OWN_DEVICE):
            return {"headers": {"Authorization": f"Card {self._card}"}}
        return {"headers": {"Authorization": f"Bearer {self.house.world.key_text}"}}


@contextmanager
def connection_kept() -> Iterator[None]:
    """Keep the connection of a test's transaction open between requests, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def fault(case: Any, answer: Any) -> str:
    """Return what is wrong with an answer: "" when the document describes it."""
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.content[:300]!r}"
    # "default" describes refusals only.
    if answer.status_code < 400 and str(answer.status_code) not in case.operation.responses.status_codes:
        return f"{answer.status_code} is not described"
    if answer.status_code >= 400 and answer.headers.get("content-type") != ["application/problem+json"]:
        return f"{answer.status_code} as {answer.headers.get('content-type')}"
    try:
        case.validate_response(answer, checks=CHECKS)
    except (Failure, FailureGroup) as failure:
        found = getattr(failure, "exceptions", [failure])
        return "; ".join(" ".join(f"{one.title} {one.message}".split())[:900] for one in found)
    if answer.status_code >= 400 and answer.json()["status"] != answer.status_code:
        return f"the problem says {answer.json()['status']}"
    return ""
