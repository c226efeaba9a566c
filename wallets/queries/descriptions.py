"""What a wallet shows of a card or a program, read as it is now. Needs the merchant's scope; another's card is None."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from math import cos, radians
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from loyalty.enums import CardStatus, ProgramStatus
from loyalty.models import Card, Program
from loyalty.queries import card_faces, storefronts
from loyalty.queries.card_faces import CardFace
from loyalty.rules import expiry
from merchants.enums import MerchantStatus
from merchants.models import Merchant
from stores.models import Store
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
    """Return cards as passes show them, by id, those that are here: as many queries as for one."""
    found = card_faces.faces(card_faces.cards().filter(pk__in=card_ids), at)
    programs = _programs({face.card.program_id: face.card.program for face in found})
    return {face.card.pk: _card(face, *programs[face.card.program_id], at) for face in found}


def describe_program(program_id: UUID) -> ProgramDescription | None:
    """Return what all cards of a program share, None when there is none here."""
    program = Program.objects.filter(pk=program_id).first()
    if program is None:
        return None
    described, _merchant, stores = _programs({program.pk: program})[program.pk]
    return _near(described, stores, None)


def _programs(rows: Mapping[UUID, Program]) -> dict[UUID, tuple[ProgramDescription, Merchant, list[Store]]]:
    """Return each program without its places, the merchant and the stores in which it runs."""
    merchants = Merchant.objects.in_bulk({row.merchant_id for row in rows.values()})
    found = {}
    for key, row in rows.items():
        merchant, stores = merchants[row.merchant_id], list(storefronts.stores_running(row))
        found[key] = _program(row, merchant), merchant, stores
    return found


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


def _near(program: ProgramDescription, stores: Sequence[Store], home: Store | None) -> ProgramDescription:
    """Return the program with the places nearest to a store, and the pages of the first of them."""
    nearest = sorted(stores, key=lambda store: _distance(store, home))[:MOST_PLACES]
    page = reverse("loyalty:privacy", args=[nearest[0].code]) if nearest else ""
    places = tuple(_place(store) for store in nearest)
    return replace(program, places=places, privacy_url=f"{settings.SITE_URL}{page}" if page else "")


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


def _card(
    face: CardFace, program: ProgramDescription, merchant: Merchant, stores: Sequence[Store], at: datetime
) -> CardDescription:
    card, row = face.card, face.card.program
    standing = _standing(card, merchant, at)
    over = standing == Standing.OVER
    language = words.spoken(card.customer.language, program.language)
    shared = _near(program, stores, card.enrolled_store)
    return CardDescription(
        program=shared,
        card_number="" if card.customer.erased_at else card.card_number,
        code="" if over else f"{settings.SITE_URL}/c/{card.qr_code_data}",
        language=language,
        standing=standing,
        holder="" if over else card.customer.name,
        stamps=card.stamp_count if row.has_stamps else None,
        stamps_target=card.stamps_target if row.has_stamps else None,
        points=card.points_balance if row.has_points else None,
        ready=() if over else tuple(reward.name for reward in face.rewards),
        next_reward=None if over else _goal(face, language),
        points_expire_on=face.points_expire_on,
        ends_on=_last_day(row),
        card_url="" if over else _card_url(card, stores),
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


def _goal(face: CardFace, language: str) -> NextReward | None:
    """Return the reward that comes next: of stamps where they are counted, else the nearest that points buy."""
    card = face.card
    if face.stamps_until_reward:
        with translation.override(language):
            name = card.stamps_reward or card.program.stamps_reward_description or gettext("reward")
        return NextReward(name, face.stamps_until_reward, "stamps")
    least, balance = card.program.minimum_redemption_points, card.points_balance
    missing = [(max(reward.points_cost, least) - balance, reward.name) for reward in face.catalogue]
    goals = [NextReward(name, count, "points") for count, name in missing if count > 0]
    return min(goals, key=lambda goal: goal.missing, default=None)


def _card_url(card: Card, stores: Sequence[Store]) -> str:
    """Return the card's page in the store it was made in, in another one if that is closed; "" for none."""
    home = card.enrolled_store
    store = home if home.closed_at is None else next(iter(stores), None)
    return f"{settings.SITE_URL}{reverse('loyalty:dashboard', args=[store.code])}" if store else ""
