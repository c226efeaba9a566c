"""A merchant's profile and standing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.ids import uuid7
from core.models import AuditEntry
from loyalty.rules import expiry
from merchants.models import Merchant
from merchants.services import merchants
from tests.factories.merchants import MerchantFactory, UserFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_it_works_and_changes_what_is_given() -> None:
    merchant, manager = MerchantFactory(name="Café"), UserFactory()

    changed = merchants.update(merchant_id=merchant.pk, legal_name=" Café  SARL ", at=NOON, actor_id=manager.pk)

    assert (changed.name, changed.legal_name) == ("Café", "Café SARL")
    with tenancy.scope(merchant):
        entry = AuditEntry.objects.get(action="merchant_updated")
    assert (entry.actor_id, entry.facts) == (manager.pk, {"fields": ["legal_name"]})


@pytest.mark.parametrize(
    ("values", "field"),
    [({"name": " "}, "name"), ({"card_color": "red"}, "card_color"), ({"card_color": "#12345G"}, "card_color"),
     ({"time_zone": "Mars"}, "time_zone"), ({"country": "de"}, "country"), ({"trade": "bank"}, "trade"),
     ({"default_language": "es"}, "default_language")],
)  # fmt: skip
def test_refuses_bad_values_by_field_and_changes_nothing(values: dict[str, Any], field: str) -> None:
    merchant = MerchantFactory()

    with pytest.raises(ValidationFailed) as caught:
        merchants.update(merchant_id=merchant.pk, at=NOON, **{"legal_name": "New", **values})

    assert list(caught.value.errors) == [field]
    with tenancy.scope(merchant):
        assert Merchant.objects.get().legal_name == ""


def test_an_unknown_merchant_is_not_found() -> None:
    with pytest.raises(NotFound):
        merchants.update(merchant_id=uuid7(), name="X", at=NOON)


def test_a_standing_keeps_since_when_it_holds() -> None:
    merchant = MerchantFactory()
    later = NOON.replace(hour=15)

    merchants.set_status(merchant_id=merchant.pk, status="suspended", at=NOON)
    same = merchants.set_status(merchant_id=merchant.pk, status="suspended", at=later)

    assert (same.status, same.status_since) == ("suspended", NOON)
    with pytest.raises(ValidationFailed):
        merchants.set_status(merchant_id=merchant.pk, status="gone", at=NOON)


def test_the_onboarding_never_goes_back() -> None:
    merchant = MerchantFactory()

    for step in (3, 2):
        merchants.reach_step(merchant_id=merchant.pk, step=step)

    with tenancy.scope(merchant):
        assert Merchant.objects.get().onboarding_step == 3


@pytest.mark.parametrize("steps", [("late", "suspended"), ("suspended", "late"), ("late", "suspended", "late")])
def test_the_sixty_days_run_on_from_one_unpaid_standing_to_the_other(steps: tuple[str, ...]) -> None:
    merchant = MerchantFactory(status="active")

    for days, status in zip((0, 50, 55), steps, strict=False):
        now = merchants.set_status(merchant_id=merchant.pk, status=status, at=NOON + timedelta(days=days))
    assert (now.status, now.status_since) == (steps[-1], NOON)
    assert not expiry.is_stopped(now.status, now.status_since, NOON + timedelta(days=60))
    assert expiry.is_stopped(now.status, now.status_since, NOON + timedelta(days=60, seconds=1))

    paid, again = NOON + timedelta(days=70), NOON + timedelta(days=80)
    assert merchants.set_status(merchant_id=merchant.pk, status="active", at=paid).status_since == paid
    assert merchants.set_status(merchant_id=merchant.pk, status="suspended", at=again).status_since == again
