"""A small world for tests of operations: a merchant, a store, a program, an API key, a till, cards."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core import idempotency, tenancy
from core.ids import uuid7
from loyalty.models import Card, Program, Transaction
from loyalty.queries.hot import CardRef
from loyalty.services import cards, points, programs, refunds, stamps, voids
from loyalty.services.operations import Call, StaffProof
from merchants.models import Merchant, MerchantSettings, User
from stores.models import Store, Terminal
from stores.queries.access import Credential
from stores.services import api_keys, staff

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
EVERYTHING = ["read", "earn", "redeem", "manage"]


@dataclass
class World:
    """One merchant at work. `at` is the world's clock; `tick` moves it."""

    merchant_id: UUID
    store: Store
    program: Program
    key: Credential
    owner: User
    at: datetime = NOON
    key_text: str = ""
    others: list[Store] = field(default_factory=list)

    @classmethod
    def make(
        cls, *, at: datetime = NOON, scopes: list[str] | None = None, day_start: str = "00:00", **rules: Any
    ) -> "World":
        """Make a merchant with an active program; `rules` are fields of the program."""
        slug = f"m-{uuid7().hex[-12:]}"
        owner = User.objects.create_user(f"{slug}@example.com", "demo-loyalty-2026")
        merchant_id = uuid7()
        with tenancy.scope(merchant_id):
            Merchant.objects.create(id=merchant_id, name="CoffeeLux", slug=slug)
            MerchantSettings.objects.create()
            store = Store.objects.create(code=f"{slug}-gare", name="Gare", day_start=day_start)
        data = {
            "name": "CoffeeLux", "loyalty_type": "stamps", "status": "active", "require_staff_pin": False,
            "cooldown_minutes": 0, "max_daily_stamps": 0, "stamps_reward_description": "Free coffee", **rules,
        }  # fmt: skip
        program = programs.create(merchant_id=merchant_id, store_id=store.id, data=data, user_id=None, at=at)
        made = api_keys.create(
            merchant_id=merchant_id, name="POS", scopes=scopes or EVERYTHING, store_id=None, at=at
        )  # fmt: skip
        key = Credential("api_key", merchant_id, made.api_key.id)
        return cls(merchant_id, store, program, key, owner, at=at, key_text=made.text)

    def tick(self, **by: float) -> datetime:
        """Move the clock."""
        self.at += timedelta(**by)
        return self.at

    def card(self, **person: Any) -> Card:
        """Enrol a customer."""
        enrolled = cards.enroll(
            merchant_id=self.merchant_id, store_id=self.store.id, at=self.at, source="staff", **person
        )
        return enrolled.card

    def call(
        self, key: str | None = None, *, who: Credential | None = None, operation: str = "test", **body: Any
    ) -> Call:
        """Describe a caller: by default the POS key."""
        asked = idempotency.request(key, operation, "/test", body)
        return Call(who or self.key, asked, self.at, store_code=self.store.code)

    def stamp(self, card: Card, quantity: int = 1, **how: Any) -> dict[str, Any]:
        """Give stamps."""
        call = how.pop("call", None) or self.call(how.pop("key", None), who=how.pop("who", None))
        return stamps.give(call, card=CardRef("card_id", card.id), quantity=quantity, **how).body

    def redeem(self, card: Card, **how: Any) -> dict[str, Any]:
        """Hand out a stamp reward."""
        return stamps.redeem(self.call(who=how.pop("who", None)), card=CardRef("card_id", card.id), **how).body

    def sale(self, card: Card, cents: int, **how: Any) -> dict[str, Any]:
        """Grant the points of a sale."""
        call = self.call(how.pop("key", None), who=how.pop("who", None))
        return points.earn(call, card=CardRef("card_id", card.id), cents=cents, **how).body

    def spend(self, card: Card, reward_id: UUID) -> dict[str, Any]:
        """Hand out a reward for points."""
        return points.redeem(self.call(), card=CardRef("card_id", card.id), reward_id=reward_id).body

    def void(self, transaction_id: str, **how: Any) -> dict[str, Any]:
        """Undo an operation."""
        call = self.call(who=how.pop("who", None))
        return voids.void(call, transaction_id=UUID(str(transaction_id)), **how).body

    def refund(self, transaction_id: str, cents: int, **how: Any) -> dict[str, Any]:
        """Refund a sale."""
        call = self.call(how.pop("key", None), who=how.pop("who", None))
        return refunds.refund(call, transaction_id=UUID(str(transaction_id)), cents=cents, **how).body

    def change(self, **rules: Any) -> None:
        """Change the program."""
        programs.update(
            merchant_id=self.merchant_id, program_id=self.program.id, data=rules, user_id=None, at=self.at
        )  # fmt: skip

    def fresh(self, card: Card) -> Card:
        """Read a card anew."""
        with tenancy.scope(self.merchant_id):
            return Card.objects.get(id=card.id)

    def rows(self, card: Card) -> list[Transaction]:
        """Read a card's ledger."""
        with tenancy.scope(self.merchant_id):
            return list(Transaction.objects.filter(card_id=card.id).order_by("seq"))

    def terminal(self) -> Credential:
        """Pair a till."""
        with tenancy.scope(self.merchant_id):
            row = Terminal.objects.create(
                name="Till", store=self.store, token_prefix=uuid7().hex[-12:], token_hash="x", paired_at=self.at
            )
        return Credential("terminal", self.merchant_id, row.id)

    def staff(self, name: str = "Anna", pin: str = "482193") -> tuple[UUID, StaffProof]:
        """Name a staff member; return the id and the proof by PIN."""
        made = staff.create(merchant_id=self.merchant_id, name=name, pin=pin, at=self.at)
        return made.staff.id, StaffProof(pin=pin, staff_id=made.staff.id)

    def assert_adds_up(self, card: Card) -> Card:
        """Hold the card's cached figures against the sums of its ledger; return the card."""
        card, rows = self.fresh(card), self.rows(card)
        sums = {
            "stamp_count": "stamps_delta", "points_balance": "points_delta", "points_debt": "debt_delta",
            "points_micro": "micro_delta", "points_granted": "granted_delta",
        }  # fmt: skip
        for column, delta in sums.items():
            assert getattr(card, column) == sum(getattr(row, delta) for row in rows), column
        assert [row.seq for row in rows] == list(range(1, card.seq + 1))
        assert rows[-1].stamps_after == card.stamp_count
        assert rows[-1].points_after == card.points_balance
        return card
