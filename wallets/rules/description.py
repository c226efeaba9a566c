"""A card as any wallet may show it: one neutral description, rendered once per provider.

No e-mail address, no phone number, no database id of the card (rule 26): only what stands here can get onto a pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "fr", "de", "lb")
MOST_PLACES = 10


class Standing(StrEnum):
    """Whether the card can be used: active, void for now (frozen), or over (closed, merged, erased, program ended)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Place:
    """A store that is near somebody who holds the card; degrees, WGS 84."""

    name: str
    address: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class NextReward:
    """The reward that comes next and how much is missing: of "stamps" or "points"."""

    name: str
    missing: int
    unit: str


@dataclass(frozen=True, slots=True)
class Branding:
    """What makes the pass the merchant's: its colour (#rrggbb), the trade whose icon it bears, its logo in storage.

    logo: name of the large picture in the default storage, "" for none; seed: turns a program's stamps its own way.
    """

    color: str
    trade: str
    logo: str
    seed: str


@dataclass(frozen=True, slots=True)
class ProgramDescription:
    """What all cards of a program share: the class at Google, and most of a pass at Apple."""

    merchant_id: UUID
    merchant_name: str
    program_id: UUID
    name: str
    loyalty_type: str
    branding: Branding
    language: str
    country: str
    currency: str
    time_zone: str
    places: tuple[Place, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
    website: str = ""
    privacy_url: str = ""

    @property
    def has_stamps(self) -> bool:
        """Whether stamps are shown."""
        return self.loyalty_type != "points"

    @property
    def has_points(self) -> bool:
        """Whether points are shown."""
        return self.loyalty_type != "stamps"


@dataclass(frozen=True, slots=True)
class CardDescription:
    """One card. Counts are None where the program does not count them.

    code: what the QR holds ({SITE_URL}/c/{qr_code_data}), "" when the card can no longer be shown. holder: the name the
    customer gave, "" for none. ready: names of rewards that can be had now. language: the customer's.
    """

    program: ProgramDescription
    card_number: str
    code: str
    language: str
    standing: Standing = Standing.ACTIVE
    holder: str = ""
    stamps: int | None = None
    stamps_target: int | None = None
    points: int | None = None
    ready: tuple[str, ...] = ()
    next_reward: NextReward | None = None
    points_expire_on: date | None = None
    ends_on: date | None = None
    card_url: str = ""

    @property
    def stamps_text(self) -> str:
        """The stamps as passes show them: "3/10", "" where none are counted."""
        return f"{self.stamps}/{self.stamps_target}" if self.stamps is not None else ""

    @property
    def ends_at(self) -> str:
        """The last second of the last day, with its offset: "2026-12-31T23:59:59+01:00", "" where none is known."""
        if self.ends_on is None:
            return ""
        return datetime.combine(self.ends_on, time(23, 59, 59), ZoneInfo(self.program.time_zone)).isoformat()

    @property
    def points_text(self) -> str:
        """The points as passes show them: "1250", without a separator, "" where none are counted."""
        return str(self.points) if self.points is not None else ""
