"""A load for measurements: merchants, cards and a ledger of any size that adds up, written in bulk.

The database makes the ledger itself: each card repeats a pattern of rows (a full stamp card and its reward, purchases
and a reward for their points), and one statement per some thousand cards writes ledger, rewards and cards with their
sums. Everything goes through the application's role and each merchant's own scope.
"""

import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from core import tenancy
from core.ids import uuid7
from loyalty.models import Program, Reward
from loyalty.queries import access
from loyalty.services import programs
from merchants.enums import MerchantStatus, Trade
from merchants.models import Merchant, MerchantSettings
from merchants.permissions import SCOPES
from stores.models import Store
from stores.services import api_keys

# The share of the cards, in percent, and the kind of program of each merchant: one big one, and smaller ones.
MERCHANTS = ((50, "stamps"), (20, "points"), (15, "hybrid"), (10, "stamps"), (5, "points"))
CARDS_AT_ONCE = 2_500
WORKERS = min(4, os.cpu_count() or 1)
VISIT_EVERY = timedelta(hours=36)
STATEMENTS = Path(__file__).with_name("load.sql").read_text(encoding="utf-8").split(";\n")[:2]
REWARD_POINTS = 100
TARGET = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A ledger row of a pattern. back: rows since the first row of its operation; mark: what it does to a reward."""

    type: str
    stamps: int = 0
    stamps_after: int = 0
    sale: bool = False
    points: int = 0
    back: int = 0
    mark: str = ""


def _full_card(*, back: int) -> list[Row]:
    return [Row("reward_issued", -TARGET, back=back, mark="issue"), Row("stamp_redeemed", mark="redeem")]


def _hybrid_visits() -> Iterator[Row]:
    for count in range(TARGET):
        yield Row("points_earned", stamps_after=count, sale=True)
        yield Row("stamp_earned", 1, count + 1, back=1)


PATTERNS: dict[str, list[Row]] = {
    "stamps": [*(Row("stamp_earned", 1, count + 1) for count in range(TARGET)), *_full_card(back=1)],
    "points": [
        *(Row("points_earned", sale=True) for _ in range(7)),
        Row("points_redeemed", points=-REWARD_POINTS, mark="buy"),
    ],
    "hybrid": [*_hybrid_visits(), *_full_card(back=2)],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoadMerchant:
    """A merchant of the load."""

    id: UUID
    slug: str
    kind: str
    cards: int


@dataclass(frozen=True, slots=True)
class Load:
    """What was made: the merchants, the biggest first, and the text of a key for that one."""

    merchants: tuple[LoadMerchant, ...]
    api_key: str


def make(*, cards: int, transactions: int, at: datetime) -> Load:
    """Make `cards` cards with `transactions` ledger rows in all, at new merchants, up to the day before `at`.

    Each card has at least its first row, so `transactions` is not smaller than `cards`; raises ValueError.
    """
    if not 1 <= cards <= transactions:
        raise ValueError("There must be a card, and at least one transaction for each card.")
    tag = uuid7().hex[-8:]
    made, key = [], ""
    jobs: list[tuple[LoadMerchant, _Place, int, list[int]]] = []
    for number, (kind, rows) in enumerate(_row_counts(cards, transactions), 1):
        if rows:
            merchant = LoadMerchant(uuid7(), f"load-{tag}-{number}", kind, len(rows))
            place = _open(merchant, at)
            key = key or place.api_key
            made.append(merchant)
            starts = range(0, len(rows), CARDS_AT_ONCE)
            jobs += [(merchant, place, start, rows[start : start + CARDS_AT_ONCE]) for start in starts]
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        for done in [pool.submit(_fill_apart, *job, at) for job in jobs]:
            done.result()
    return Load(tuple(made), key)


@dataclass(frozen=True, slots=True)
class _Place:
    store_ids: tuple[UUID, ...]
    program: Program
    reward: Reward | None
    api_key: str
    api_key_id: UUID


def _open(merchant: LoadMerchant, at: datetime) -> _Place:
    """Open a merchant with two stores, a program without limits and a key that may do everything."""
    with tenancy.scope(merchant.id):
        Merchant.objects.create(
            id=merchant.id, name=f"Load {merchant.slug[-1]}", slug=merchant.slug, trade=Trade.OTHER,
            status=MerchantStatus.ACTIVE, status_since=at,
        )  # fmt: skip
        MerchantSettings.objects.create()
        stores = [Store.objects.create(code=f"{merchant.slug}-{end}", name=end.title()) for end in ("north", "south")]
        program = programs.create(
            merchant_id=merchant.id, store_id=stores[0].pk, user_id=None, at=at,
            data={
                "name": f"Load {merchant.kind}", "loyalty_type": merchant.kind, "status": "active",
                "points_per_euro": "1", "stamps_target": TARGET, "stamps_reward_description": "1 reward",
                "cooldown_minutes": 0, "max_daily_stamps": 0, "require_staff_pin": False,
            },
        )  # fmt: skip
        reward = None
        if program.has_points:
            reward = Reward.objects.create(program=program, name="Voucher", points_cost=REWARD_POINTS)
        made = api_keys.create(merchant_id=merchant.id, name="Load", scopes=SCOPES, at=at, store_id=stores[0].pk)
    return _Place(tuple(store.pk for store in stores), program, reward, made.text, made.api_key.pk)


def _fill_apart(merchant: LoadMerchant, place: _Place, start: int, rows: Sequence[int], at: datetime) -> None:
    """Write a portion on a connection of this thread's own."""
    try:
        _fill(merchant, place, start, rows, at)
    finally:
        connection.close()


def _fill(merchant: LoadMerchant, place: _Place, start: int, rows: Sequence[int], at: datetime) -> None:
    """Write some thousand cards with their customers, ledger and rewards."""
    people = [uuid7() for _ in rows]
    cards = [uuid7() for _ in rows]
    secrets = [access.hash_of(access.new_secret(card, 1)) for card in cards]
    pattern = PATTERNS[merchant.kind]
    values: dict[str, Any] = {
        "merchant": merchant.id, "program": place.program.pk, "reward": place.reward.pk if place.reward else None,
        "stores": list(place.store_ids), "api_key": place.api_key_id, "at": at, "every": VISIT_EVERY, "start": start,
        "target": TARGET, "cards": cards, "people": people, "rows": list(rows), "hashes": secrets,
        "numbers": _numbers(start, len(rows)), "codes": [access.new_code() for _ in rows], "period": len(pattern),
        "types": [row.type for row in pattern], "stamps": [row.stamps for row in pattern],
        "stamps_after": [row.stamps_after for row in pattern], "sales": [row.sale for row in pattern],
        "points": [row.points for row in pattern], "backs": [row.back for row in pattern],
        "marks": [row.mark for row in pattern],
    }  # fmt: skip
    with tenancy.scope(merchant.id), connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement, values)


def _numbers(start: int, count: int) -> list[str]:
    """Return card numbers that no other card of the merchant has, spread over the whole range."""
    digits = (str(10**10 + (index * 8_999_999_993) % (9 * 10**10)) for index in range(start, start + count))
    return [number + access.check_digit(number) for number in digits]


def _row_counts(cards: int, transactions: int) -> list[tuple[str, list[int]]]:
    """Return kind and rows of each card of each merchant: regulars have many, most have few, and the sum is exact."""
    chance = random.Random(cards)  # noqa: S311 - a load that is the same each time
    weights = [chance.paretovariate(1.8) for _ in range(cards)]
    free, total, given, cumulated, rows = transactions - cards, sum(weights), 0, 0.0, []
    for weight in weights:
        cumulated += weight
        share = max(0, min(free, int(free * cumulated / total)) - given)
        given += share
        rows.append(1 + share)
    drawn, spare = iter(rows), free - given
    shares = zip(_shares(cards), MERCHANTS, strict=True)
    merchants = [(kind, [next(drawn) for _ in range(count)]) for count, (_, kind) in shares]
    for kind, counts in merchants:
        for index, count in enumerate(counts):
            counts[index] = _whole_operations(count, PATTERNS[kind])
            spare += count - counts[index]
    _spread(spare, merchants[1][1])
    return merchants


def _shares(total: int) -> list[int]:
    """Return the cards of each merchant; the second one, whose rows may end anywhere, always has some."""
    shares = [total * percent // 100 for percent, _ in MERCHANTS]
    shares[1] += total - sum(shares)
    return shares


def _whole_operations(rows: int, pattern: Sequence[Row]) -> int:
    """Return the largest number of rows, not above the given one, that ends with the last row of an operation."""
    while rows > 1 and pattern[(rows - 1) % len(pattern)].back:
        rows -= 1
    return rows


def _spread(spare: int, counts: list[int]) -> None:
    each, rest = divmod(spare, len(counts))
    for index in range(len(counts)):
        counts[index] += each + (index < rest)
