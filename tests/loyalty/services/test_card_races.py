"""Races of enrolment and links: real threads, real commits, one winner (rules 1 and 18)."""

from typing import Any

from django.test import Client
from django.utils import timezone

from core import tenancy
from core.errors import DomainError
from core.tenancy import lookup
from customers.models import Consent, Customer
from customers.services import links as magic_links
from loyalty.models import Card, Transaction
from loyalty.queries import access
from loyalty.queries.hot import CardBusy
from loyalty.services import cards, links
from tests.loyalty.services.test_races import race
from tests.support.world import World


class Answered(DomainError):
    """Carries an HTTP status out of a thread."""


def test_rule_18_a_key_sent_by_many_at_once_makes_one_card(real_db: Any) -> None:
    world = World.make()
    body = {"store_code": world.store.code, "email": "marie@example.com"}
    secrets: set[str] = set()

    def enroll() -> dict[str, Any]:
        url, headers = "/api/v1/storefront/loyalty/enroll", {"Idempotency-Key": "k-1"}
        answer = Client().post(url, body, content_type="application/json", headers=headers)
        if answer.status_code != 201:
            refusal = Answered()
            refusal.code = answer.json()["code"]
            raise refusal
        secrets.add(answer.json()["access_secret"])
        return {}

    seen = race(enroll)

    assert seen["done"] >= 1
    assert set(seen) <= {"done", "idempotency_in_progress"}
    with tenancy.scope(world.merchant_id):
        (card,) = Card.objects.all()
        assert [Customer.objects.count(), Transaction.objects.count()] == [1, 1]
    assert secrets == {access.secret_of(card)}


def test_a_link_is_used_by_one_of_many_clicks(real_db: Any) -> None:
    world = World.make()
    made = cards.enroll(
        merchant_id=world.merchant_id, store_id=world.store.id, at=world.at, email="marie@example.com",
        consents={("marketing", "email"): True},
    )  # fmt: skip
    token = issued(world, made.card)
    merchant_id, link_id = magic_links.find(token)

    seen = race(lambda: {"card": links.use(merchant_id=merchant_id, link_id=link_id, at=timezone.now())})

    assert seen == {"done": 1, "link_expired": 15}
    with tenancy.scope(world.merchant_id):
        assert Consent.objects.filter(confirmed_at__isnull=False).count() == 1


def test_rule_1_an_address_is_proven_by_one_of_two_customers(real_db: Any) -> None:
    world = World.make()
    tokens = [issued(world, world.card(email="marie@example.com")) for _ in range(4)]
    queue = list(tokens)

    def use() -> dict[str, Any]:
        merchant_id, link_id = magic_links.find(queue.pop())
        return {"card": links.use(merchant_id=merchant_id, link_id=link_id, at=timezone.now())}

    seen = race(use, times=4)

    assert seen == {"done": 4}
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.filter(confirmed_at__isnull=False).count() == 1
    assert lookup("magic_link", magic_links.hash_of(tokens[0]))


def issued(world: World, card: Card) -> str:
    with tenancy.scope(world.merchant_id):
        customer = Customer.objects.get(pk=card.customer_id)
    token = magic_links.issue(
        merchant_id=world.merchant_id, customer=customer, card_id=card.id,
        purpose=magic_links.LinkPurpose.CONFIRM, at=timezone.now(),
    )  # fmt: skip
    assert token is not None
    return token


def test_rule_3_cards_of_one_address_confirmed_at_once_become_one(real_db: Any) -> None:
    world = World.make()
    made = [world.card(email="marie@example.com") for _ in range(4)]
    for card in made:
        world.stamp(card)
    queue = [issued(world, card) for card in made]

    def use() -> dict[str, Any]:
        merchant_id, link_id = magic_links.find(queue.pop())
        for _ in range(5):
            try:
                return {"card": links.use(merchant_id=merchant_id, link_id=link_id, at=timezone.now())}
            except CardBusy:
                continue  # the page says "once more in a moment"; the link is still good
        raise AssertionError("busy five times")

    seen = race(use, times=4)

    assert seen == {"done": 4}
    with tenancy.scope(world.merchant_id):
        (left,) = Card.objects.filter(status="active")
        assert Card.objects.filter(merged_into=left).count() == 3
    assert left.stamp_count == 4
    for card in made:
        world.assert_adds_up(card)
