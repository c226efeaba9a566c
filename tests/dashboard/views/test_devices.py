"""Terminals and API keys: their secrets are on one answer and nowhere else."""

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from core import tenancy
from stores.models import ApiKey, Terminal
from stores.services import stores, terminals
from stores.services.terminals import PairingRefused
from tests.dashboard.conftest import Shop


def test_a_device_is_paired_by_the_code_that_is_shown_once(shop: Shop) -> None:
    browser = shop.client()
    answer = browser.post(shop.page("terminals/new"), {"name": "Blue tablet"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, private"
    code = answer.context["pairing"].code
    assert code in answer.content.decode()
    paired = terminals.pair(code=code, at=timezone.now()).terminal
    assert (paired.name, paired.store_id) == ("Blue tablet", shop.world.store.pk)
    with pytest.raises(PairingRefused):
        terminals.pair(code=code, at=timezone.now())
    listed = browser.get(shop.page("terminals")).content.decode()
    assert "Blue tablet" in listed
    assert code not in listed
    assert all(code not in str(session.get_decoded()) for session in Session.objects.all())


def test_a_device_is_signed_out_after_a_question(shop: Shop) -> None:
    browser, url = shop.client(), shop.page(f"terminals/{shop.ids['terminal_id']}/revoke")
    assert "Till 1" in browser.get(url).content.decode()
    assert browser.post(url, follow=True).status_code == 200
    with tenancy.scope(shop.merchant_id):
        assert Terminal.objects.get(pk=shop.ids["terminal_id"]).revoked_at is not None
    assert browser.get(url).status_code == 404


def test_a_key_is_shown_once_and_works_as_far_as_it_was_allowed(shop: Shop) -> None:
    browser = shop.client()
    data = {"name": "Register", "scopes": ["read", "earn"], "store": shop.code}
    answer = browser.post("/store/merchant/api-keys/new", data)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, private"
    text = answer.context["key"]
    assert text in answer.content.decode()
    assert text not in browser.get("/store/merchant/api-keys").content.decode()
    assert all(text not in str(session.get_decoded()) for session in Session.objects.all())
    with tenancy.scope(shop.merchant_id):
        made = ApiKey.objects.get(name="Register")
    assert (made.scopes, made.store_id, made.created_by_id) == (
        ["read", "earn"],
        shop.world.store.pk,
        shop.world.owner.pk,
    )
    lookup = "/api/v1/store/loyalty/cards"
    assert browser.__class__().get(lookup, headers={"Authorization": f"Bearer {text}"}).status_code == 200


def test_a_key_is_revoked_after_a_question(shop: Shop) -> None:
    browser, url = shop.client(), f"/store/merchant/api-keys/{shop.ids['api_key_id']}/revoke"
    assert "POS" in browser.get(url).content.decode()
    browser.post(url)
    with tenancy.scope(shop.merchant_id):
        assert ApiKey.objects.get(pk=shop.ids["api_key_id"]).revoked_at is not None
    assert browser.get(url).status_code == 404
    assert shop.ids["api_key_id"] not in [key.id for key in browser.get("/store/merchant/api-keys").context["keys"]]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "x" * 61, "scopes": ["read"]}, "name"),
        ({"name": "Script"}, "scopes"),
        ({"name": "Script", "scopes": ["everything"]}, "scopes"),
        ({"name": "Script", "scopes": ["read"], "store": "no-such-store"}, "store"),
    ],
)
def test_a_bad_key_is_said_at_its_field(data: dict[str, object], field: str, shop: Shop) -> None:
    answer = shop.client().post("/store/merchant/api-keys/new", data)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    with tenancy.scope(shop.merchant_id):
        assert ApiKey.objects.filter(name="Script").count() == 0


def test_a_key_for_another_merchants_store_is_refused(shop: Shop, other: Shop) -> None:
    data = {"name": "Script", "scopes": ["read"], "store": other.code}
    assert shop.client().post("/store/merchant/api-keys/new", data).status_code == 400


@pytest.mark.parametrize("name", ["", "x" * 61, " "])
def test_a_device_needs_a_name(name: str, shop: Shop) -> None:
    answer = shop.client().post(shop.page("terminals/new"), {"name": name})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["name"]


def test_a_list_shows_the_devices_of_its_own_store_only(shop: Shop) -> None:
    second = stores.open_store(merchant_id=shop.merchant_id, name="Kirchberg", at=shop.world.at)
    browser = shop.client()
    assert browser.get(f"/store/{second.code}/loyalty/terminals").context["terminals"] == []
    url = f"/store/{second.code}/loyalty/terminals/{shop.ids['terminal_id']}/revoke"
    assert browser.get(url).status_code == 404
