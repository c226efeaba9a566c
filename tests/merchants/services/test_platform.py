"""What the platform does to a merchant: with a reason, audited, once, and never to another one."""

import os
import threading
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.ids import uuid7
from core.models import AuditEntry
from merchants.models import Merchant, MerchantSettings
from merchants.services import closing, platform
from tests.factories.merchants import MerchantFactory

AT = timezone.now()
WHO: dict[str, Any] = {"at": AT, "actor_id": uuid7()}


def settings_of(merchant: Merchant) -> MerchantSettings:
    with tenancy.scope(merchant):
        return MerchantSettings.objects.get()


def audited(merchant: Merchant) -> list[str]:
    with tenancy.scope(merchant):
        return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_it_works(db: None) -> None:
    merchant, other = MerchantFactory(), MerchantFactory()

    first = platform.switch(merchant_id=merchant.pk, name="messages_suspended", on=True, reason="complaints", **WHO)
    again = platform.switch(merchant_id=merchant.pk, name="messages_suspended", on=True, reason="complaints", **WHO)

    assert (first, again) == (True, False)
    assert settings_of(merchant).messages_suspended
    assert not settings_of(other).messages_suspended
    assert (audited(merchant), audited(other)) == (["messages_suspended"], [])


@pytest.mark.parametrize("reason", ["", "a", "ask a@b.example"])
def test_needs_a_reason(db: None, reason: str) -> None:
    merchant = MerchantFactory()

    with pytest.raises(ValidationFailed):
        platform.set_standing(merchant_id=merchant.pk, status="suspended", reason=reason, **WHO)
    with pytest.raises(ValidationFailed):
        platform.switch(merchant_id=merchant.pk, name="messages_suspended", on=True, reason=reason, **WHO)

    with tenancy.scope(merchant):
        assert Merchant.objects.get().status == "trial"
    assert audited(merchant) == []


@pytest.mark.parametrize("status", ["trial", "nonsense", ""])
def test_sets_no_standing_that_is_none_of_the_platforms(db: None, status: str) -> None:
    merchant = MerchantFactory(status="active")

    with pytest.raises(ValidationFailed):
        platform.set_standing(merchant_id=merchant.pk, status=status, reason="because", **WHO)


def test_unknown_merchants_are_not_found(db: None) -> None:
    for act in (
        lambda: platform.set_standing(merchant_id=uuid7(), status="late", reason="because", **WHO),
        lambda: platform.switch(merchant_id=uuid7(), name="messages_suspended", on=True, reason="because", **WHO),
        lambda: platform.change_settings(merchant_id=uuid7(), changes={"max_stores": 3}, **WHO),
    ):
        with pytest.raises(NotFound):
            act()


def test_changes_settings_and_keeps_old_and_new(db: None) -> None:
    merchant = MerchantFactory()

    platform.change_settings(merchant_id=merchant.pk, changes={"max_stores": 3, "ask_pin_again": False}, **WHO)
    platform.change_settings(merchant_id=merchant.pk, changes={"max_stores": 3}, **WHO)

    assert settings_of(merchant).max_stores == 3
    with tenancy.scope(merchant):
        facts = AuditEntry.objects.get(action="merchant_settings_changed").facts
    assert (facts["old"], facts["new"]) == ({"max_stores": 25}, {"max_stores": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_stores", 0), ("max_stores", -1), ("max_stores", 10**6), ("pin_max_failed_attempts", 0),
        ("pin_lockout_minutes", 2000), ("staff_pin_policy", "x"), ("own_card_policy", "maybe"), ("features", []),
        ("features", {"a": "yes"}), ("enrollment_suspended", True), ("merchant_id", uuid7()), ("id", uuid7()),
    ],
)  # fmt: skip
def test_refuses_settings_that_cannot_be(db: None, name: str, value: Any) -> None:
    merchant = MerchantFactory()
    before = settings_of(merchant)

    with pytest.raises(ValidationFailed) as refusal:
        platform.change_settings(merchant_id=merchant.pk, changes={"double_opt_in": False, name: value}, **WHO)

    assert name in refusal.value.errors
    after = settings_of(merchant)
    assert (after.double_opt_in, getattr(after, name)) == (True, getattr(before, name))
    assert audited(merchant) == []


def test_two_administrators_at_once_are_one_change(real_db: Any) -> None:
    merchant, done = MerchantFactory(status="active"), []

    def suspend() -> None:
        try:
            done.append(platform.set_standing(merchant_id=merchant.pk, status="suspended", reason="both of us", **WHO))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=suspend) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == [False] * 5 + [True]
    assert audited(merchant).count("merchant_suspended") == 1


def test_an_archive_holds_little_at_once() -> None:
    """A big file leaves in pieces while it is made."""
    pieces = 0

    def rows(_merchant_id: Any) -> Any:
        nonlocal pieces
        for _number in range(400):
            pieces += 1
            yield os.urandom(6400)

    before = dict(closing._files)
    closing._files.clear()
    closing.register("big.csv", rows)
    try:
        stream = closing.archive(merchant_id=uuid7())
        first = next(stream)
        assert 0 < pieces < 400
        rest = b"".join(stream)
    finally:
        closing._files.clear()
        closing._files.update(before)

    assert len(first) < 4 * closing.CHUNK
    assert (first + rest).startswith(b"PK")
