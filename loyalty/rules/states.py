"""What the rules look at: a program's rules and a card's state, as plain values."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ProgramRules:
    """The rules of a program as they stand, or as they stood under a version."""

    id: UUID
    name: str
    status: str
    version: int
    loyalty_type: str
    currency: str
    stamps_target: int
    stamps_reward_description: str
    stamps_reward_valid_days: int | None
    full_card: str
    points_per_euro_num: int
    points_per_euro_den: int
    rounding: str
    welcome_bonus_points: int
    minimum_purchase_cents: int
    minimum_redemption_points: int
    cooldown_minutes: int
    max_daily_stamps: int
    require_staff_pin: bool
    void_window_minutes: int
    refund_shortfall: str
    ends_on: date | None
    points_expiration_days: int = 0
    expiry_not_before: date | None = None

    @property
    def has_stamps(self) -> bool:
        """Whether the program counts stamps."""
        return self.loyalty_type != "points"

    @property
    def has_points(self) -> bool:
        """Whether the program counts points."""
        return self.loyalty_type != "stamps"


@dataclass(frozen=True, slots=True)
class CardState:
    """A card as the rules see it; the meaning of each figure stands at loyalty.models.Card."""

    id: UUID
    card_number: str
    program_id: UUID
    customer_id: UUID
    enrolled_store_id: UUID
    status: str
    stamp_count: int
    stamps_target: int
    stamps_reward: str
    points_balance: int
    points_debt: int
    points_micro: int
    points_granted: int
    rewards_ready: int
    stamps_today: int
    stamps_day: date | None
    welcome_granted: bool
    last_stamp_at: datetime | None
    last_points_at: datetime | None
    last_activity_on: date
    seq: int

    def stamps_on(self, day: date) -> int:
        """Return how many stamps were given on a business day, voided ones not counted."""
        return self.stamps_today if self.stamps_day == day else 0
