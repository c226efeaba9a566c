"""Customers in the platform's admin: masked, read-only, and looking at one in full is noted."""

from typing import Any

import pytest
from django.test import Client

from core import tenancy
from core.models import AuditEntry
from customers.services import consents
from merchants.models import User
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"


@pytest.fixture
def platform(client: Client, settings: Any) -> Client:
    settings.DEBUG = True  # outside of it the second factor comes first
    client.force_login(User.objects.create_superuser("admin@platform.example", "demo-loyalty-2026"))
    return client


def marie(world: World) -> Any:
    return world.card(name="Marie Klein", email="marie@example.com", phone="621 123 442").customer_id


def audit(world: World) -> list[tuple[str, str]]:
    with tenancy.platform(reason="test"):
        return list(AuditEntry.objects.filter(merchant_id=world.merchant_id).values_list("action", "target"))


def test_lists_and_shows_people_masked(platform: Client) -> None:
    world = World.make()
    customer_id = marie(world)

    pages = [platform.get(LIST).content.decode(), platform.get(f"{LIST}{customer_id}/change/").content.decode()]

    for html in pages:
        assert "M… K." in html
        assert "m…@example.com" in html
        assert "••• 42" in html
        assert "Marie" not in html
        assert "marie@" not in html


def test_notes_who_looks_at_one_in_full(platform: Client) -> None:
    world = World.make()
    customer_id = marie(world)

    html = platform.get(f"{LIST}{customer_id}/change/?reveal=1").content.decode()

    assert "Marie Klein" in html
    assert ("customer_revealed", f"customer {customer_id}") in audit(world)


@pytest.mark.parametrize("model", ["customer", "consent", "magiclink"])
def test_changes_nothing_by_hand(platform: Client, model: str) -> None:
    world = World.make()
    customer_id = marie(world)

    answers = [
        platform.get(f"/admin/customers/{model}/add/"),
        platform.post(f"/admin/customers/{model}/add/", {}),
        platform.post(f"/admin/customers/{model}/{customer_id}/delete/", {"post": "yes"}),
    ]

    assert {answer.status_code for answer in answers} <= {302, 403, 404}
    assert platform.post(f"{LIST}{customer_id}/change/", {"name": "Other"}).status_code == 403
    assert world.fresh(world.card()).customer_id != customer_id


def test_shows_consents_and_links(platform: Client) -> None:
    world = World.make()
    card = world.card(email="marie@example.com")
    with tenancy.scope(world.merchant_id):
        consents.record(
            merchant_id=world.merchant_id, customer=card.customer, decisions={("marketing", "email"): True},
            source="storefront", language="fr", at=NOON,
        )  # fmt: skip

    assert platform.get("/admin/customers/consent/").status_code == 200
    assert platform.get("/admin/customers/magiclink/").status_code == 200


def test_is_for_platform_staff_only(client: Client) -> None:
    world = World.make()
    customer_id = marie(world)
    client.force_login(world.owner)

    for address in (LIST, f"{LIST}{customer_id}/change/"):
        assert client.get(address).status_code == 302
