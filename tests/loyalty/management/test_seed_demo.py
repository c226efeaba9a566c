"""seed_demo: exactly the demo that README promises, adding up, quick, and only ever once."""

import io
import time
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.utils import timezone

from core import tenancy
from customers.models import Customer
from loyalty.models import Card, Program, Reward, Transaction
from loyalty.queries import access, verification
from merchants.models import Membership, Merchant, MerchantSettings, User
from stores.models import StaffPin, Store
from stores.services import pins, stores

pytestmark = pytest.mark.django_db
LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
STORES = {
    "coffeelux": ["coffeelux-gare", "coffeelux-kirchberg"],
    "mode-claire": ["mode-claire-grand-rue"],
    "barbier-royal": ["barbier-royal-limpertsberg"],
}


@pytest.fixture
def demo(settings: Any) -> str:
    settings.DEBUG = True
    return seed()


def seed() -> str:
    out = io.StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def everything() -> Any:
    return tenancy.platform(reason="tests")


def test_it_works(demo: str) -> None:
    assert "CoffeeLux, Mode Claire, Barbier Royal" in demo
    report = verification.verify()
    assert report.differences == ()
    assert report.cards > 300


def test_merchants_stores_and_programs_are_those_of_the_readme(demo: str) -> None:
    with everything():
        codes = {
            merchant.slug: list(Store.objects.filter(merchant=merchant).order_by("code").values_list("code", flat=True))
            for merchant in Merchant.objects.all()
        }
        programs = {program.merchant.slug: program for program in Program.objects.select_related("merchant")}
        costs = list(Reward.objects.filter(program=programs["mode-claire"]).values_list("points_cost", flat=True))
        own_device = set(Store.objects.filter(own_device_enabled=True).values_list("code", flat=True))
        policies = set(MerchantSettings.objects.values_list("staff_pin_policy", flat=True))
        looks = set(Merchant.objects.values_list("trade", "status"))

    assert codes == STORES
    assert {slug: program.loyalty_type for slug, program in programs.items()} == {
        "coffeelux": "stamps", "mode-claire": "points", "barbier-royal": "hybrid",
    }  # fmt: skip
    coffee = programs["coffeelux"]
    assert (coffee.stamps_target, coffee.stamps_reward_description) == (10, "Free coffee")
    assert {program.status for program in programs.values()} == {"active"}
    assert {program.require_staff_pin for program in programs.values()} == {True}
    assert costs == [100, 250, 500]
    assert own_device == {"coffeelux-gare", "mode-claire-grand-rue"}
    assert policies == {"optional"}
    assert looks == {("cafe", "active"), ("boutique", "active"), ("barber", "active")}


def test_everybody_may_sign_in(demo: str) -> None:
    for email in ("admin@platform.example", *(f"owner@{slug}.example" for slug in STORES)):
        user = User.objects.get(email=email)
        assert user.check_password("demo-loyalty-2026")
        assert EmailAddress.objects.filter(user=user, email=email, verified=True, primary=True).exists()
    admin = User.objects.get(email="admin@platform.example")
    assert (admin.is_staff, admin.is_superuser) == (True, True)
    assert not User.objects.exclude(pk=admin.pk).filter(is_staff=True).exists()
    with everything():
        roles = set(Membership.objects.values_list("user__email", "merchant__slug", "role"))
    assert roles == {(f"owner@{slug}.example", slug, "owner") for slug in STORES}


def test_anna_and_ben_work_everywhere_with_their_pins(demo: str) -> None:
    with everything():
        places = list(Store.objects.all())
        team = {(row.merchant_id, row.name): row for row in StaffPin.objects.all()}
    assert {name for _, name in team} == {"Anna", "Ben"}
    for store in places:
        for name, pin in (("Anna", "4821"), ("Ben", "7359")):
            member = team[store.merchant_id, name]
            verified = pins.verify(
                merchant_id=store.merchant_id, store_id=store.pk, subject=pins.Subject("terminal", store.pk), pin=pin,
                staff_id=member.pk, at=timezone.now(),
            )  # fmt: skip
            assert verified.name == name


def test_history_is_months_long_and_goes_up_to_now(demo: str) -> None:
    now = timezone.now()
    with everything():
        for merchant in Merchant.objects.all():
            rows = Transaction.objects.filter(merchant=merchant)
            newest, oldest = rows.latest("occurred_at").occurred_at, rows.earliest("occurred_at").occurred_at
            assert timedelta(0) < now - newest < timedelta(minutes=30), merchant.slug
            assert now - oldest > timedelta(days=120)
            assert merchant.created_at < oldest
            assert 90 <= Card.objects.filter(merchant=merchant).count() <= 130
        types = set(Transaction.objects.values_list("type", flat=True))
        odd = Transaction.objects.filter(recorded_at__gt=now).count()
    assert types >= {"void", "refund", "stamp_redeemed", "points_redeemed", "reward_issued", "welcome_bonus"}
    assert odd == 0


def test_coffee_is_drunk_in_the_morning(demo: str) -> None:
    with everything():
        coffee = Transaction.objects.filter(merchant__slug="coffeelux", type="stamp_earned")
        hours = [at.astimezone(LUXEMBOURG).hour for at in coffee.values_list("occurred_at", flat=True)]
    assert sum(7 <= hour < 10 for hour in hours) > len(hours) / 2


def test_customers_with_an_address_are_confirmed_and_can_open_their_cards(demo: str) -> None:
    with everything():
        assert not Customer.objects.exclude(email="").filter(confirmed_at=None).exists()
        assert Customer.objects.filter(email="").exists()
        card = Card.objects.select_related("customer").first()
        assert card is not None
        assert card.customer.created_at == card.enrolled_at
    assert access.card_of(access.secret_of(card)) == (card.merchant_id, card.pk)


def test_a_second_time_changes_nothing(demo: str) -> None:
    with everything():
        before = (Transaction.objects.count(), Card.objects.count(), Store.objects.count(), User.objects.count())

    assert "there already" in seed()

    with everything():
        assert before == (
            Transaction.objects.count(), Card.objects.count(), Store.objects.count(), User.objects.count()
        )  # fmt: skip


def test_what_somebody_changed_stays(demo: str) -> None:
    with everything():
        store = Store.objects.get(code="coffeelux-gare")
    stores.close(merchant_id=store.merchant_id, store_id=store.pk, at=timezone.now())

    assert "there already" in seed()


def test_it_is_refused_outside_of_development(settings: Any) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="development"):
        seed()
    assert not User.objects.exists()


def test_it_is_quick(settings: Any) -> None:
    settings.DEBUG = True
    began = time.monotonic()

    seed()

    assert time.monotonic() - began < 20
