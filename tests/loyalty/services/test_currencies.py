"""The merchant's currency: programs follow it until something is booked."""

import pytest

from core import tenancy
from loyalty.models import Program, ProgramVersion
from merchants.extensions import CurrencyFixed
from merchants.models import Merchant
from merchants.services import merchants
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db


def currencies(world: World) -> set[str]:
    with tenancy.scope(world.merchant_id):
        rules = ProgramVersion.objects.values_list("rules__currency", flat=True)
        return {Merchant.objects.get().currency, *Program.objects.values_list("currency", flat=True), *rules}


def test_programs_follow_before_anything_is_booked() -> None:
    world = World.make()

    assert Caller.of(world).patch("/api/v1/merchant", {"currency": "CHF"}).status_code == 200

    assert currencies(world) == {"CHF"}


def test_it_stays_once_the_ledger_has_a_row() -> None:
    world = World.make()
    world.card()

    with pytest.raises(CurrencyFixed):
        merchants.update(merchant_id=world.merchant_id, at=world.at, currency="CHF")
    refused = Caller.of(world).patch("/api/v1/merchant", {"currency": "USD", "name": "New"})
    same = Caller.of(world).patch("/api/v1/merchant", {"currency": "EUR", "name": "New"})

    problem = assert_problem(refused, 400, "validation_error", "currency")
    assert problem["errors"][0]["code"] == "immutable"
    assert (same.status_code, same.json()["name"]) == (200, "New")
    assert currencies(world) == {"EUR"}


def test_another_merchants_ledger_does_not_count() -> None:
    world, other = World.make(), World.make()
    other.card()

    merchants.update(merchant_id=world.merchant_id, at=world.at, currency="CHF")

    assert (currencies(world), currencies(other)) == ({"CHF"}, {"EUR"})
