"""Writes the demo, once: merchants by their services, customers and histories in bulk."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress

from core import tenancy
from core.ids import uuid7
from customers.enums import Channel, Purpose
from customers.models import Consent, Customer
from customers.queries import keys
from customers.services.consents import TEXT_VERSION
from loyalty.enums import TransactionType
from loyalty.models import Card, IssuedReward, Program, ProgramVersion, Reward, Transaction
from loyalty.queries import access
from loyalty.rules import timing
from loyalty.rules.states import CardState, ProgramRules
from loyalty.services import programs, rewards
from loyalty.services.demo import people, shops
from loyalty.services.demo.people import Person
from loyalty.services.demo.shops import Shop
from loyalty.services.demo.visits import History, uuid7_at
from merchants.enums import MerchantStatus
from merchants.models import Membership, Merchant, User
from merchants.services import merchants
from stores.models import StaffPin, Store
from stores.services import staff, stores

HISTORY = timedelta(days=182)
QUARTER = timedelta(minutes=15)
ONBOARDED = 5
CARD_COLUMNS = tuple(item.name for item in fields(CardState))
RULE_COLUMNS = tuple(item.name for item in fields(ProgramRules))


@dataclass(frozen=True, slots=True)
class _Opened:
    """A merchant of the demo that is ready for customers."""

    shop: Shop
    merchant_id: UUID
    program: Program
    stores: tuple[Store, ...]
    staff_ids: tuple[UUID, ...]
    rewards: tuple[Reward, ...]
    chance: random.Random
    at: datetime


def seed(*, at: datetime) -> list[str]:
    """Make what is missing of the demo, with a history that ends at `at`; returns the names of the merchants made."""
    _person(shops.ADMIN, "Platform", is_staff=True, is_superuser=True)
    with tenancy.platform(reason="seed_demo: see which merchants of the demo are there"):
        slugs = Merchant.objects.filter(slug__in=[shop.slug for shop in shops.SHOPS]).values_list("slug", flat=True)
        known = set(slugs)
    missing = [shop for shop in shops.SHOPS if shop.slug not in known]
    for shop in missing:
        _seed_shop(shop, at)
    return [shop.name for shop in missing]


def _person(email: str, name: str, **rights: bool) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, shops.PASSWORD, name=name, **rights)
    EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return user


def _seed_shop(shop: Shop, at: datetime) -> None:
    """Make one merchant whole or not at all."""
    owner = _person(f"owner@{shop.slug}.example", shop.owner)
    merchant_id = uuid7()
    with tenancy.scope(merchant_id):
        opened = _open(shop, merchant_id, owner, at)
        drawn = list(people.people(opened.chance, shop.customers))
        customers = [_customer(opened, person) for person in drawn]
        histories = [_history(opened, customer) for customer in customers]
        _busy_hours(opened, histories)
        _backdate(at - HISTORY - timedelta(days=14))
        _save(opened, customers, drawn, histories)


def _open(shop: Shop, merchant_id: UUID, owner: User, at: datetime) -> _Opened:
    merchants.open_merchant(
        owner=owner, name=shop.name, trade=shop.trade, country="LU", language=shop.language, at=at,
        merchant_id=merchant_id,
    )  # fmt: skip
    merchants.update(
        merchant_id=merchant_id, at=at, legal_name=shop.legal_name, card_color=shop.card_color
    )  # fmt: skip
    merchants.reach_step(merchant_id=merchant_id, step=ONBOARDED)
    places = tuple(
        stores.open_store(
            merchant_id=merchant_id, name=place.name, code=place.code, at=at, street=place.street, city="Luxembourg",
            postal_code=place.postal_code, latitude=Decimal(place.latitude), longitude=Decimal(place.longitude),
            opening_hours=place.opening_hours, own_device_enabled=place.own_device,
        )
        for place in shop.places
    )  # fmt: skip
    team = [staff.create(merchant_id=merchant_id, name=name, pin=pin, at=at).staff.pk for name, pin in shops.STAFF]
    program = programs.create(
        merchant_id=merchant_id, store_id=places[0].pk, user_id=owner.pk, at=at,
        data={**shop.rules, "status": "active", "require_staff_pin": True},
    )  # fmt: skip
    catalogue = tuple(
        rewards.create(merchant_id=merchant_id, program_id=program.pk, data={"name": name, "points_cost": cost}, at=at)
        for name, cost in shop.rewards
    )
    chance = random.Random(shop.slug)  # noqa: S311 - the same people at every start
    return _Opened(shop, merchant_id, program, places, tuple(team), catalogue, chance, at)


def _customer(opened: _Opened, person: Person) -> Customer:
    joined = _joining_moment(opened)
    birth_day, birth_month = person.birthday or (None, None)
    return Customer(
        id=uuid7_at(joined), merchant_id=opened.merchant_id, name=person.name, email=person.email, phone=person.phone,
        name_key=keys.name_key(person.name), email_key=keys.email_key(person.email), phone_key=person.phone,
        birth_day=birth_day, birth_month=birth_month, language=person.language, created_at=joined,
        confirmed_at=joined + timedelta(minutes=4) if person.email else None,
    )  # fmt: skip


def _joining_moment(opened: _Opened) -> datetime:
    """Return a moment of the past half year at which the first store was open."""
    drawn = opened.at - HISTORY * opened.chance.betavariate(1.2, 1.4)
    for days in range(4):
        moment = _opening_moment(opened, drawn - timedelta(days=days), opened.stores[0])
        if moment is not None and moment < opened.at - QUARTER:
            return moment
    return drawn


def _history(opened: _Opened, customer: Customer) -> History:
    """Live through a customer's visits up to now: most come at their own pace, some stop after a while."""
    chance, home, joined = opened.chance, opened.chance.choice(opened.stores), customer.created_at
    history = _new_card(opened, customer, home, joined)
    history.enroll(home, joined)
    pace = chance.choice(opened.shop.habits.days_between)
    ends = opened.at - (opened.at - joined) * chance.random() if chance.random() < 0.25 else opened.at
    at = joined + timedelta(minutes=3)
    while at < ends:
        store = home if chance.random() < 0.85 else chance.choice(opened.stores)
        moment = _opening_moment(opened, at, store) if at.date() != joined.date() else at
        if moment is not None and moment < opened.at:
            _visit(opened, history, store, moment)
        at += timedelta(days=max(1.0, chance.expovariate(1 / pace)))
    return history


def _new_card(opened: _Opened, customer: Customer, store: Store, joined: datetime) -> History:
    program = opened.program
    rules = ProgramRules(**{name: getattr(program, name) for name in RULE_COLUMNS})
    card = CardState(
        id=uuid7_at(joined), card_number=access.new_number(), program_id=program.pk, customer_id=customer.pk,
        enrolled_store_id=store.pk, status="active", stamp_count=0, stamps_target=program.stamps_target,
        stamps_reward=program.stamps_reward_description, points_balance=0, points_debt=0, points_micro=0,
        points_granted=0, rewards_ready=0, stamps_today=0, stamps_day=None, welcome_granted=False, last_stamp_at=None,
        last_points_at=None, last_activity_on=joined.date(), seq=0,
    )  # fmt: skip
    return History(opened.merchant_id, rules, card, joined)


def _opening_moment(opened: _Opened, at: datetime, store: Store) -> datetime | None:
    """Return a moment within the opening hours of that day, near one of the shop's peaks; None on a closed day."""
    zone = timing.zone(store.time_zone)
    day = at.astimezone(zone).date()
    spans = store.opening_hours.get(shops.WEEK[day.weekday()])
    if not spans:
        return None
    peaks = opened.shop.habits.peaks
    peak = opened.chance.choices([hour for _, hour in peaks], [weight for weight, _ in peaks])[0]
    opens, closes = (_hours(text) for text in spans[0])
    hour = min(max(opened.chance.gauss(peak, 0.8), opens + 0.05), closes - 0.05)
    local = datetime.combine(day, time(0), tzinfo=zone).replace(hour=int(hour), minute=int(hour % 1 * 60))
    return (local + timedelta(seconds=opened.chance.randrange(60))).astimezone(UTC)


def _hours(text: str) -> float:
    hours, minutes = text.split(":")
    return int(hours) + int(minutes) / 60


def _visit(opened: _Opened, history: History, store: Store, at: datetime) -> None:
    """One visit: a reward that is ready is mostly collected, then the purchase; now and then something is corrected."""
    if history.rows[-1].occurred_at >= at:
        return
    chance, by = opened.chance, opened.chance.choice(opened.staff_ids)
    corrected = chance.random() < 0.03 and at < opened.at - QUARTER
    if history.card.rewards_ready and chance.random() < 0.8:
        history.collect(store, at, by)
    elif _affordable(opened, history) and chance.random() < 0.45:
        history.buy(chance.choice(_affordable(opened, history)), store, at, by)
    later = at + timedelta(seconds=chance.randrange(40, 100))
    if opened.program.has_points:
        low, high = opened.shop.habits.basket
        sale = history.sale(store, later, by, int(chance.triangular(low, high, low * 1.8)))
        if corrected:
            cents = (sale.purchase_amount_cents or 0) // chance.choice((1, 1, 2, 3))
            history.refund(sale, store, later + timedelta(minutes=chance.randrange(2, 9)), by, cents)
        return
    given = history.stamp(store, later, by, chance.choices((1, 2, 3), (12, 2, 1))[0])
    if given and corrected and history.rows[-1].type == TransactionType.STAMP_EARNED:
        history.undo_stamp(store, later + timedelta(minutes=chance.randrange(1, 5)), by)


def _affordable(opened: _Opened, history: History) -> list[Reward]:
    return [reward for reward in opened.rewards if reward.points_cost <= history.card.points_balance]


def _busy_hours(opened: _Opened, histories: Sequence[History]) -> None:
    """Let some regulars come within the last hours, whatever the time is, so that the day has something to show."""
    regulars = sorted(histories, key=lambda history: -len(history.rows))[:40]
    quiet = [history for history in regulars if history.rows[-1].occurred_at < opened.at - timedelta(hours=6)]
    for number, history in enumerate(opened.chance.sample(quiet, min(9, len(quiet)))):
        _visit(opened, history, opened.chance.choice(opened.stores), opened.at - timedelta(minutes=4 + 19 * number))


def _save(
    opened: _Opened, customers: Sequence[Customer], drawn: Sequence[Person], histories: Sequence[History]
) -> None:
    since = {customer.pk: customer.created_at for customer in customers}
    ticked = [
        consent for customer, person in zip(customers, drawn, strict=True) for consent in _consents(customer, person)
    ]
    Customer.objects.bulk_create(customers)
    for customer_id, created_at in since.items():  # the insert sets this column by the clock
        Customer.objects.filter(pk=customer_id).update(created_at=created_at)
    Consent.objects.bulk_create(ticked)
    Card.objects.bulk_create(_card(history) for history in histories)
    IssuedReward.objects.bulk_create([reward for history in histories for reward in history.rewards])
    rows = sorted((row for history in histories for row in history.rows), key=lambda row: (row.occurred_at, row.seq))
    Transaction.objects.bulk_create(rows, batch_size=2000)


def _card(history: History) -> Card:
    card = history.card
    values: dict[str, Any] = {name: getattr(card, name) for name in CARD_COLUMNS}
    return Card(
        **values, merchant_id=history.merchant_id, qr_code_data=access.new_code(), version=card.seq,
        access_hash=access.hash_of(access.new_secret(card.id, 1)), enrolled_at=history.enrolled_at,
    )  # fmt: skip


def _consents(customer: Customer, person: Person) -> Iterator[Consent]:
    ticked = {Purpose.SERVICE: person.wants_news, Purpose.MARKETING: person.wants_offers}
    for purpose, granted in ticked.items():
        if granted:
            yield Consent(
                merchant_id=customer.merchant_id, customer=customer, purpose=purpose, channel=Channel.EMAIL,
                granted=True, text_version=TEXT_VERSION, language=person.language, source="storefront",
                address=person.email, recorded_at=customer.created_at, confirmed_at=customer.confirmed_at,
            )  # fmt: skip


def _backdate(began: datetime) -> None:
    """Let the merchant and what belongs to it be as old as its history: otherwise the clock sets these columns."""
    Merchant.objects.update(created_at=began, status=MerchantStatus.ACTIVE, status_since=began)
    for model in (Membership, Store, StaffPin, Program, ProgramVersion, Reward):
        model.objects.update(created_at=began)
