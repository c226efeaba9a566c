"""The pass for a browser: by its signed address or the card's secret; everybody else finds nothing."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import time_machine
from django.utils import timezone

from core import tenancy
from customers.models import Customer
from loyalty import extensions
from loyalty.models import Card
from tests.fakes import pkpass
from tests.fakes.iphone import VirtualIPhone
from tests.wallets.web_service.conftest import Shop
from wallets.models import ApplePass, PassUpdate
from wallets.services import erasure

TYPE = "application/vnd.apple.pkpass"


def bare(shop: Shop, card: Any) -> str:
    return f"{shop.url}/api/v1/loyalty/passes/apple/{shop.row(card).serial}.pkpass"


def erase(shop: Shop, card: Any) -> None:
    with tenancy.scope(shop.world.merchant_id):
        customer = Customer.objects.get(pk=shop.world.fresh(card).customer_id)
        erasure.erase([customer.pk], timezone.now())
        customer.erased_at = timezone.now()
        customer.save()


def test_the_signed_address_gives_the_pass(shop: Shop, http: httpx.Client, apple: Any) -> None:
    card = shop.card(name="Marie")
    link = shop.link(card)
    answer = http.get(link)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == TYPE
    assert answer.headers["Content-Disposition"] == 'attachment; filename="card.pkpass"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert pkpass.read(answer.content, root=apple.root).serial == shop.row(card).serial
    head = http.head(link)
    assert (head.status_code, head.content, head.headers["Content-Type"]) == (200, b"", TYPE)


def test_the_address_says_nothing_of_the_card(shop: Shop) -> None:
    """Rule 26: the serial number is another one than the card's id, number and code."""
    card = shop.card(email="marie@example.com")
    link = shop.link(card)
    assert link.startswith(f"{shop.url}/api/v1/loyalty/passes/apple/")
    for word in (str(card.pk), card.pk.hex, card.card_number, card.qr_code_data, "marie", shop.secret(card)):
        assert word not in link


def test_the_card_secret_opens_the_bare_path(shop: Shop, http: httpx.Client) -> None:
    card, other = shop.card(), shop.card()
    assert http.get(bare(shop, card), headers={"Authorization": f"Card {shop.secret(card)}"}).status_code == 200
    foreign = http.get(bare(shop, card), headers={"Authorization": f"Card {shop.secret(other)}"})
    assert foreign.status_code == 404


def test_without_the_right_to_it_there_is_nothing(shop: Shop, http: httpx.Client) -> None:
    card, other = shop.card(), shop.card()
    path, signed = bare(shop, card), urlsplit(shop.link(card)).query
    unknown = f"{shop.url}/api/v1/loyalty/passes/apple/{'A' * 24}.pkpass"
    tries: list[tuple[str, dict[str, str]]] = [
        (path, {}), (f"{path}?s=", {}), (f"{path}?s=x", {}), (f"{path}?{signed}x", {}), (f"{path}?{signed[:-1]}", {}),
        (f"{bare(shop, other)}?{signed}", {}), (f"{unknown}?{signed}", {}), (unknown, {}), (f"{path}?s=%00", {}),
        (path, {"Authorization": "Card nothing"}), (path, {"Authorization": "Card"}), (path, shop.proof(card)),
        (unknown, {"Authorization": f"Card {shop.secret(card)}"}),
        (f"{shop.url}/api/v1/loyalty/passes/apple/{card.pk}.pkpass", {"Authorization": f"Card {shop.secret(card)}"}),
        (f"{shop.url}/api/v1/loyalty/passes/apple/%00.pkpass?{signed}", {}),
    ]  # fmt: skip
    bodies = set()
    for address, headers in tries:
        answer = http.get(address, headers=headers)
        assert answer.status_code == 404, address
        bodies.add(answer.content)
    assert len(bodies) == 1


def test_a_signed_address_ends_after_a_week(shop: Shop, http: httpx.Client) -> None:
    link, now = shop.link(shop.card()), timezone.now()
    with time_machine.travel(now + timedelta(days=6, hours=23), tick=True):
        assert http.get(link).status_code == 200
    with time_machine.travel(now + timedelta(days=7, minutes=1), tick=True):
        assert http.get(link).status_code == 404


def test_an_erased_persons_download_is_gone_at_once(
    shop: Shop, http: httpx.Client, phone: Callable[..., VirtualIPhone]
) -> None:
    """Pitfall 48: the device fetches a void pass without the person for 30 days, then nothing opens it."""
    card, iphone = shop.card(name="Marie Curie"), phone()
    link, secret = shop.link(card), shop.secret(card)
    held = iphone.add(link)
    erase(shop, card)

    assert http.get(link).status_code == 404
    assert http.get(bare(shop, card), headers={"Authorization": f"Card {secret}"}).status_code == 404
    shop.follow(card)
    iphone.on_push()
    assert held.content["voided"] is True
    assert held.content["webServiceURL"]
    assert "Curie" not in str(held.content)
    assert iphone.log == []

    with tenancy.scope(shop.world.merchant_id):
        ApplePass.objects.update(erased_at=timezone.now() - timedelta(days=30, seconds=1))
    assert http.get(shop.pass_path(card), headers=shop.proof(card)).status_code == 401
    assert erasure.retire(at=timezone.now()) == 1
    assert http.get(shop.pass_path(card), headers=iphone._proof(held)).status_code == 401
    assert iphone.register(held.file.serial) == 401


def test_a_frozen_card_is_void_and_comes_back(shop: Shop, phone: Callable[..., VirtualIPhone]) -> None:
    """Pitfall 31: the web service stays, so that the pass can be repaired."""
    card, iphone = shop.card(), phone()
    held = iphone.add(shop.link(card))
    with tenancy.scope(shop.world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")
    shop.follow(card)
    iphone.on_push()
    assert held.content["voided"] is True
    assert "barcodes" not in held.content

    with tenancy.scope(shop.world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="active")
    shop.follow(card)
    iphone.on_push()
    assert "voided" not in held.content
    assert held.content["barcodes"]


def test_a_card_that_is_over_has_no_buttons(shop: Shop) -> None:
    card = shop.card()
    with tenancy.scope(shop.world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="closed")
        found = Card.objects.select_related("customer").get(pk=card.pk)
        assert extensions.wallet_links(found) == {"google_url": None, "apple_url": None}


def test_without_credentials_the_card_lives_on_the_web(shop: Shop, http: httpx.Client, settings: Any) -> None:
    card = shop.card()
    link, path, proof = shop.link(card), shop.pass_path(card), shop.proof(card)
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = ""
    assert shop.link(card) == "None"
    assert http.get(link).status_code == 404
    answer = http.get(path, headers=proof)
    assert (answer.status_code, answer.content) == (503, b"")
    assert int(answer.headers["Retry-After"]) > 0
    settings.LOYALTY_APPLE_PASS_TYPE_ID = ""
    assert http.get(path, headers=proof).status_code == 401


def test_while_the_credentials_are_broken_the_download_says_when_to_come_back(
    shop: Shop, http: httpx.Client, settings: Any, tmp_path: Path
) -> None:
    card = shop.card()
    link, opened = shop.link(card), {"Authorization": f"Card {shop.secret(card)}"}
    broken = tmp_path / "signer.pem"
    broken.write_text("certainly")
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(broken)

    fetched = http.get(shop.pass_path(card), headers=shop.proof(card))
    for answer in (http.get(link), http.get(bare(shop, card), headers=opened)):
        assert answer.status_code == fetched.status_code == 503
        assert answer.headers["Retry-After"] == fetched.headers["Retry-After"]
        assert answer.json()["code"] == "service_unavailable"
    assert http.get(bare(shop, card)).status_code == 404


def test_a_download_is_asked_for_and_nothing_else(shop: Shop, http: httpx.Client) -> None:
    link = shop.link(shop.card())
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = http.request(method, link)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_enrolment_and_the_card_name_the_address(shop: Shop, http: httpx.Client) -> None:
    made = http.post(
        f"{shop.url}/api/v1/storefront/loyalty/enroll", json={"store_code": shop.world.store.code}
    ).json()  # fmt: skip
    assert http.get(made["wallet"]["apple_url"]).headers["Content-Type"] == TYPE
    shown = http.get(
        f"{shop.url}/api/v1/storefront/loyalty/card", headers={"Authorization": f"Card {made['access_secret']}"}
    ).json()
    assert http.get(shown["wallet"]["apple_url"]).status_code == 200
    assert shown["wallet"]["apple_devices"] == 0


def test_states_count_devices_and_tell_what_lags(shop: Shop, phone: Callable[..., VirtualIPhone]) -> None:
    card, alone = shop.card(), shop.card()
    iphone = phone("iphone")
    iphone.add(shop.link(card))
    phone("watch").add(shop.link(card))
    shop.stamp(card)
    shop.stamp(alone)

    with tenancy.scope(shop.world.merchant_id):
        found = extensions.wallet_states([card.pk, alone.pk])
    assert found[card.pk]["apple_devices"] == 2
    assert found[card.pk]["out_of_date_since"] is not None
    assert found[alone.pk] == extensions.no_wallet()

    iphone.on_push()
    with tenancy.scope(shop.world.merchant_id):
        assert extensions.wallet_states([card.pk])[card.pk]["out_of_date_since"] is None


def test_states_belong_to_their_merchant(shop: Shop, another: Shop, phone: Callable[..., VirtualIPhone]) -> None:
    card = shop.card()
    phone().add(shop.link(card))
    with tenancy.scope(another.world.merchant_id):
        assert extensions.wallet_states([card.pk])[card.pk] == extensions.no_wallet()
    with pytest.raises(tenancy.NoTenantScope):
        extensions.wallet_states([card.pk])
    with tenancy.scope(shop.world.merchant_id):
        assert PassUpdate.objects.count() == 0
