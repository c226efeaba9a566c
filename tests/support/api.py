"""A caller of the store API in tests: with a world's key, a key of its own scopes, or a person's session."""

import json
from collections.abc import Sequence
from typing import Any

from django.test import Client

from core import tenancy
from merchants.models import Membership, User
from stores.models import Store
from stores.queries.devices import TERMINAL_COOKIE
from stores.services import api_keys, terminals
from tests.support.world import World

BASE = "/api/v1/store/loyalty/"


class Caller:
    """Sends JSON to the store API."""

    def __init__(self, headers: dict[str, str] | None = None, client: Client | None = None) -> None:
        self.headers, self.client = headers or {}, client or Client()

    @classmethod
    def of(cls, world: World) -> "Caller":
        """A POS with the world's own key, which may do everything."""
        return cls({"Authorization": f"Bearer {world.key_text}"})

    @classmethod
    def with_scopes(cls, world: World, scopes: Sequence[str], store: Store | None = None) -> "Caller":
        """A POS with a new key of these scopes, bound to a store when one is given."""
        made = api_keys.create(
            merchant_id=world.merchant_id, name="Till", scopes=list(scopes), at=world.at,
            store_id=store.pk if store else None,
        )  # fmt: skip
        return cls({"Authorization": f"Bearer {made.text}"})

    @classmethod
    def person(cls, world: World, role: str) -> "Caller":
        """A signed-in person of this role."""
        user = User.objects.create_user(f"{role}@{world.store.code}.example")
        with tenancy.scope(world.merchant_id):
            Membership.objects.create(user=user, role=role)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return cls({"X-Store-Code": world.store.code}, client)

    @classmethod
    def terminal(cls, world: World) -> "Caller":
        """A newly paired terminal of the world's store."""
        made = terminals.make_pairing_code(
            merchant_id=world.merchant_id, store_id=world.store.pk, name="Till 1", user_id=world.owner.pk, at=world.at
        )
        client = Client()
        client.cookies[TERMINAL_COOKIE] = terminals.pair(code=made.code, at=world.at).token
        return cls(client=client)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; `path` is a whole one or one below the store API; text and bytes go as they are."""
        address = path if path.startswith(("/", "http")) else BASE + path
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if method == "get":
            return self.client.get(address, headers=sent)
        data = body if isinstance(body, (str, bytes)) else json.dumps({} if body is None else body)
        return getattr(self.client, method)(address, data, content_type="application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.send("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST JSON."""
        return self.send("post", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        """PATCH JSON."""
        return self.send("patch", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE."""
        return self.send("delete", path, **headers)


def assert_problem(answer: Any, status: int, code: str, *fields: str) -> dict[str, Any]:
    """Hold an answer against a problem document; return it. `fields`: those that `errors` names."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "code", "detail", "errors"} <= set(body)
    assert (body["status"], body["code"]) == (status, code), body
    if fields:
        assert [problem["field"] for problem in body["errors"]] == list(fields)
        assert all(problem["code"] and problem["detail"] for problem in body["errors"])
    return body


def told(answer: Any) -> dict[str, str]:
    """Return the headers of an answer without the number that each request has of its own."""
    return {name: value for name, value in answer.headers.items() if name.lower() != "x-request-id"}
