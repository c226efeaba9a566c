"""/pair."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stores.queries import devices
from stores.services import terminals
from tests.factories.merchants import UserFactory
from tests.factories.stores import StoreFactory
from tests.support import windows

pytestmark = pytest.mark.django_db


def make_code(store: Any) -> str:
    return terminals.make_pairing_code(
        merchant_id=store.merchant_id, store_id=store.pk, name="Till 1", user_id=UserFactory().pk, at=timezone.now()
    ).code


def test_it_works_and_sets_a_guarded_cookie(client: Client) -> None:
    store = StoreFactory()

    response = client.post("/pair", {"code": make_code(store)})

    assert response.status_code == 302
    assert response["Location"] == f"/store/{store.code}/loyalty/terminal"
    cookie = response.cookies["terminal"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] > 300 * 24 * 3600
    assert devices.terminal_credential(cookie.value) is not None


def test_shows_the_form_with_the_code_of_the_address(client: Client) -> None:
    response = client.get("/pair", {"code": "ABCD2345"})

    assert response.status_code == 200
    assert 'value="ABCD2345"' in response.content.decode()
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(("code", "status"), [("", 400), ("short", 400), ("AAAAAAAA", 409), ("<script>", 409)])
def test_refuses_kindly_and_sets_nothing(client: Client, code: str, status: int) -> None:
    response = client.post("/pair", {"code": code})

    assert response.status_code == status
    assert "terminal" not in response.cookies
    assert "<script>" not in response.content.decode()


def test_needs_the_csrf_token() -> None:
    response = Client(enforce_csrf_checks=True).post("/pair", {"code": "AAAAAAAA"})

    assert response.status_code == 403


def test_counts_tries_by_address(client: Client, settings: Any) -> None:
    settings.LOYALTY_THROTTLE_SCALE = 1
    windows.whole(3600)

    statuses = [client.post("/pair", {"code": "AAAAAAAA"}).status_code for _ in range(22)]

    assert set(statuses[:19]) == {409}
    assert statuses[-1] == 429
