"""A merchant with a store, a key, a terminal, an owner; and callers for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from merchants.models import Merchant, User
from stores.models import ApiKey, Store, Terminal
from tests.factories.merchants import MembershipFactory, MerchantFactory
from tests.factories.stores import ApiKeyFactory, StoreFactory, TerminalFactory

BASE = "/api/v1/store/loyalty"


@dataclass
class Shop:
    """A merchant as the API sees it."""

    merchant: Merchant
    store: Store
    key: ApiKey
    terminal: Terminal
    owner: User

    def by_key(self, method: str, path: str, body: Any = None, key: ApiKey | None = None, **headers: str) -> Any:
        """Call with an API key."""
        text = (key or self.key).text  # type: ignore[attr-defined]
        return call(Client(), method, path, body, {"Authorization": f"Bearer {text}", **headers})

    def by_terminal(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call from the paired terminal, as a browser does."""
        client = Client(enforce_csrf_checks=True)
        client.cookies["terminal"] = self.terminal.token  # type: ignore[attr-defined]
        return call(client, method, path, body, {**csrf(client), **headers})

    def by_owner(self, method: str, path: str, body: Any = None, user: User | None = None, **headers: str) -> Any:
        """Call with a person's session, as a browser does."""
        client = Client(enforce_csrf_checks=True)
        client.force_login(user or self.owner, backend="django.contrib.auth.backends.ModelBackend")
        return call(client, method, path, body, {**csrf(client), **headers})


def csrf(client: Client) -> dict[str, str]:
    """Give a client the cookie and return the header that belongs to it."""
    token = "a" * 32
    client.cookies["csrftoken"] = token
    return {"X-CSRFToken": token}


def call(client: Client, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Send JSON."""
    send = getattr(client, method)
    address = path if path.startswith("http") else f"{BASE}/{path}"
    if method == "get":
        return send(address, body, headers=headers)
    return send(address, {} if body is None else body, content_type="application/json", headers=headers)


@pytest.fixture
def make_shop(db: None) -> Callable[[], Shop]:
    """Return a maker of shops."""

    def make() -> Shop:
        merchant = MerchantFactory()
        store = StoreFactory(merchant=merchant)
        owner = MembershipFactory(merchant=merchant).user
        return Shop(
            merchant, store, ApiKeyFactory(merchant=merchant), TerminalFactory(merchant=merchant, store=store), owner
        )

    return make


@pytest.fixture
def shop(make_shop: Callable[[], Shop]) -> Shop:
    """A shop."""
    return make_shop()
