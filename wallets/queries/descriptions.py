"""What a wallet shows of a card or a program, read as it is now. Needs the merchant's scope; another's card is None."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime
from math import cos, radians
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from core.db import pipeline
from loyalty.enums import CardStatus, ProgramStatus
from loyalty.models import Card, Program, Reward
from loyalty.queries import card_faces
from loyalty.rules import expiry
from merchants.enums import MerchantStatus
from merchants.models import Merchant
from stores.models import Store
from wallets.queries import shared
from wallets.queries.readings import CardRead, Reading
from wallets.queries.shared import Shared
from wallets.rules import words
from wallets.rules.description import (
    MOST_PLACES,
    Branding,
    CardDescription,
    NextReward,
    Place,
    ProgramDescription,
    Standing,
)  # fmt: skip

OVER = frozenset({CardStatus.CLOSED, CardStatus.MERGED})


def describe(card_id: UUID, at: datetime) -> CardDescription | None:
    """Return a card as passes show it at `at`, None when there is none here."""
    return describe_many([card_id], at).get(card_id)


def describe_many(card_ids: Collection[UUID], at: datetime) -> dict[UUID, CardDescription]:
    """Return cards as passes show them, by id, those that are here: in one round trip, however many they are."""
    with pipeline() as line:
        reading = Reading.of_cards(line, card_ids)
    return described(reading, at)


def described(reading: Reading, at: datetime) -> dict[UUID, CardDescription]:
    """Return the cards of a reading as passes show them, by id. Needs no scope any more."""
    return {one.card.pk: _card(one, at) for one in reading.cards()}


def describe_program(program_id: UUID) -> ProgramDescription | None:
    """Return what all cards of a program share, None when there is none here."""
    found = shared.by_id(program_id)
    return _near(found, None) if found is not None else None


def _program(row: Program, merchant: Merchant) -> ProgramDescription:
    return ProgramDescription(
        merchant_id=merchant.pk,
        merchant_name=merchant.name,
        program_id=row.pk,
        name=row.name,
        loyalty_type=row.loyalty_type,
        branding=Branding(
            color=row.card_color or merchant.card_color,
            trade=merchant.trade,
            logo=merchant.logo.name or "",
            seed=str(row.pk),
        ),
        language=words.spoken(merchant.default_language),
        country=merchant.country,
        currency=row.currency,
        time_zone=merchant.time_zone,
        terms={language: text.strip() for language, text in (row.terms or {}).items() if text.strip()},
    )


def _near(of_program: Shared, home: Store | None) -> ProgramDescription:
    """Return the program with the places nearest to a store; the same for all cards from there."""
    key = settings.SITE_URL, home.pk if home else None
    if key not in of_program.near:
        program = _program(of_program.program, of_program.merchant)
        nearest = sorted(of_program.running, key=lambda store: _distance(store, home))[:MOST_PLACES]
        page = reverse("loyalty:privacy", args=[nearest[0].code]) if nearest else ""
        of_program.near[key] = replace(
            program,
            places=tuple(_place(store) for store in nearest),
            privacy_url=f"{settings.SITE_URL}{page}" if page else "",
        )
    return of_program.near[key]


def _place(store: Store) -> Place:
    town = " ".join(filter(None, (store.postal_code, store.city)))
    return Place(
        name=store.name,
        address=", ".join(filter(None, (store.street, town))),
        latitude=None if store.latitude is None or store.longitude is None else float(store.latitude),
        longitude=None if store.latitude is None or store.longitude is None else float(store.longitude),
    )


def _distance(store: Store, home: Store | None) -> tuple[int, float]:
    """Rank a store: the home store, then those on the map by their way from it, then the others, by name."""
    if home is not None and store.pk == home.pk:
        return 0, 0.0
    if store.latitude is None or store.longitude is None:
        return 2, 0.0
    if home is None or home.latitude is None or home.longitude is None:
        return 1, 0.0
    north = float(store.latitude - home.latitude)
    east = (float(store.longitude - home.longitude) + 180) % 360 - 180
    return 1, north**2 + (east * cos(radians(float(home.latitude)))) ** 2


def _card(read: CardRead, at: datetime) -> CardDescription:
    card, row, merchant = read.card, read.shared.program, read.shared.merchant
    # In this order: what the points afford is asked once those that expired are off the card.
    points_expire_on = card_faces.valid_until(card, merchant, at)
    ready = card_faces.waiting(card, read.issued, at) + card_faces.affordable(card, read.shared.catalogue)
    over = _standing(card, merchant, at) == Standing.OVER
    home = read.shared.homes[card.enrolled_store_id]
    shared_by_all = _near(read.shared, home)
    language = words.spoken(card.customer.language, shared_by_all.language)
    return CardDescription(
        program=shared_by_all,
        card_number="" if card.customer.erased_at else card.card_number,
        code="" if over else f"{settings.SITE_URL}/c/{card.qr_code_data}",
        language=language,
        standing=_standing(card, merchant, at),
        holder="" if over else card.customer.name,
        stamps=card.stamp_count if row.has_stamps else None,
        stamps_target=card.stamps_target if row.has_stamps else None,
        points=card.points_balance if row.has_points else None,
        ready=() if over else tuple(reward.name for reward in ready),
        next_reward=None if over else _goal(card, read.shared.catalogue, language),
        points_expire_on=points_expire_on,
        ends_on=_last_day(row),
        card_url="" if over else _card_url(home, read.shared.running),
    )


def _standing(card: Card, merchant: Merchant, at: datetime) -> Standing:
    today = expiry.local_date(at, merchant.time_zone)
    last = _last_day(card.program)
    if card.status in OVER or card.customer.erased_at or merchant.status == MerchantStatus.CLOSED:
        return Standing.OVER
    if last is not None and last < today:
        return Standing.OVER
    if card.status == CardStatus.FROZEN or expiry.is_stopped(merchant.status, merchant.status_since, at):
        return Standing.SUSPENDED
    return Standing.ACTIVE


def _last_day(program: Program) -> date | None:
    """Return the last day of a program that has ended, None for one that goes on."""
    return program.ends_on if program.status == ProgramStatus.ENDED else None


def _goal(card: Card, catalogue: Iterable[Reward], language: str) -> NextReward | None:
    """Return the reward that comes next: of stamps where they are counted, else the nearest that points buy."""
    missing_stamps = card.stamps_target - card.stamp_count if card.program.has_stamps else 0
    if missing_stamps > 0:
        with translation.override(language):
            name = card.stamps_reward or card.program.stamps_reward_description or gettext("reward")
        return NextReward(name, missing_stamps, "stamps")
    least, balance = card.program.minimum_redemption_points, card.points_balance
    missing = [(max(reward.points_cost, least) - balance, reward.name) for reward in catalogue]
    goals = [NextReward(name, count, "points") for count, name in missing if count > 0]
    return min(goals, key=lambda goal: goal.missing, default=None)


def _card_url(home: Store, stores: Iterable[Store]) -> str:
    """Return the card's page in the store it was made in, in another one if that is closed; "" for none."""
    store = home if home.closed_at is None else next(iter(stores), None)
    return f"{settings.SITE_URL}{reverse('loyalty:dashboard', args=[store.code])}" if store else ""
