"""Invitations over the merchant API: sent again once per key, and what a suspended merchant is told."""

from typing import Any

import pytest

from core import tenancy
from core.ids import uuid7
from core.models import OutboxEvent
from merchants.models import Merchant, MerchantSettings
from tests.stores.api.conftest import Shop
from tests.support.merchant_api import at, named

CARLA = {"email": "carla@example.com", "role": "manager"}


def invited(shop: Shop) -> str:
    answer = shop.by_owner("post", at("team/invitations"), CARLA)
    assert answer.status_code == 201, answer.content
    return at(f"team/invitations/{answer.json()['id']}/resend")


def mails(shop: Shop) -> int:
    with tenancy.scope(shop.merchant):
        return OutboxEvent.objects.filter(topic="merchants.invited").count()


def test_sending_again_takes_no_body(shop: Shop) -> None:
    path = invited(shop)

    assert named(shop.by_owner("post", path, {"x": 1})) == [("x", "unknown_field")]
    assert named(shop.by_owner("post", path, [])) == [("non_field_errors", "invalid")]
    assert shop.by_owner("post", at(f"team/invitations/{uuid7()}/resend"), {"x": 1}).status_code == 404

    assert mails(shop) == 1
    assert shop.by_owner("post", path).status_code == 200
    assert mails(shop) == 2


def test_the_same_key_sends_one_mail(shop: Shop) -> None:
    path, key = invited(shop), {"Idempotency-Key": "r1"}

    first, again = (shop.by_owner("post", path, **key) for _ in range(2))

    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert ("Idempotent-Replay" in first, again["Idempotent-Replay"]) == (False, "true")
    assert mails(shop) == 2
    other = shop.by_owner("post", at("team/invitations"), CARLA, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_replays_when_the_invitation_was_answered_meanwhile(shop: Shop) -> None:
    path, key = invited(shop), {"Idempotency-Key": "r1"}
    first = shop.by_owner("post", path, **key)

    assert shop.by_owner("delete", path.removesuffix("/resend")).status_code == 204

    assert shop.by_owner("post", path, **key).json() == first.json()
    assert shop.by_owner("post", path).status_code == 404


@pytest.mark.parametrize("stopped", ["suspended", "closed", "messages"])
def test_who_may_not_write_is_told_that_messages_are_suspended(shop: Shop, stopped: str) -> None:
    path = invited(shop)
    with tenancy.scope(shop.merchant):
        if stopped == "messages":
            MerchantSettings.objects.update(messages_suspended=True)
        else:
            Merchant.objects.update(status=stopped)

    answers: list[Any] = [
        shop.by_owner("post", at(address), {"email": "dora@example.com", "role": "manager"})
        for address in ("team", "team/invitations")
    ]
    for answer in (*answers, shop.by_owner("post", path)):
        assert (answer.status_code, answer.json()["code"]) == (409, "messages_suspended")
    assert mails(shop) == 1


def test_who_is_late_still_writes_to_the_team(shop: Shop) -> None:
    with tenancy.scope(shop.merchant):
        Merchant.objects.update(status="late")

    assert shop.by_owner("post", invited(shop)).status_code == 200
