"""The three merchants of the demo."""

from dataclasses import dataclass, field
from datetime import time
from typing import Any

from loyalty.enums import LoyaltyType
from merchants.enums import Trade

PASSWORD = "demo-loyalty-2026"  # noqa: S105 - the demo's password is printed at every start
STAFF = (("Anna", "4821"), ("Ben", "7359"))
ADMIN = "admin@platform.example"
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Place:
    """A store. days: when it is open, 0 is Monday."""

    code: str
    name: str
    street: str
    postal_code: str
    latitude: str
    longitude: str
    opens: str
    closes: str
    days: tuple[int, ...]
    own_device: bool = False

    @property
    def opening_hours(self) -> dict[str, list[list[str]]]:
        """The hours in the form of the store's field."""
        return {WEEK[day]: [[self.opens, self.closes]] for day in self.days}


@dataclass(frozen=True, slots=True)
class Habits:
    """How customers come. peaks: (weight, hour) around which visits gather; basket: cents, from and to."""

    peaks: tuple[tuple[float, float], ...]
    days_between: tuple[float, ...]
    basket: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant with its stores, its program and its people."""

    name: str
    slug: str
    legal_name: str
    trade: str
    language: str
    card_color: str
    owner: str
    places: tuple[Place, ...]
    rules: dict[str, Any]
    rewards: tuple[tuple[str, int], ...]
    customers: int
    habits: Habits
    day_start: time = field(default=time(0, 0))


SHOPS = (
    Shop(
        name="CoffeeLux", slug="coffeelux", legal_name="CoffeeLux S.à r.l.", trade=Trade.CAFE, language="en",
        card_color="#5A2D1A", owner="Léa Muller", customers=120,
        places=(
            Place("coffeelux-gare", "CoffeeLux Gare", "12, rue de Strasbourg", "L-2561", "49.600300", "6.131200",
                  "07:00", "18:30", (0, 1, 2, 3, 4, 5), own_device=True),
            Place("coffeelux-kirchberg", "CoffeeLux Kirchberg", "4, avenue J.F. Kennedy", "L-1855", "49.626200",
                  "6.154400", "07:00", "19:00", (0, 1, 2, 3, 4)),
        ),
        rules={"name": "CoffeeLux", "loyalty_type": LoyaltyType.STAMPS, "stamps_target": 10,
               "stamps_reward_description": "Free coffee"},
        rewards=(),
        habits=Habits(peaks=((6.0, 8.2), (2.0, 12.8), (1.5, 15.5)), days_between=(1.4, 2.2, 3.5, 7.0, 16.0)),
    ),
    Shop(
        name="Mode Claire", slug="mode-claire", legal_name="Mode Claire S.A.", trade=Trade.BOUTIQUE, language="fr",
        card_color="#7B2D4F", owner="Claire Hoffmann", customers=100,
        places=(
            Place("mode-claire-grand-rue", "Mode Claire Grand-Rue", "38, Grand-Rue", "L-1660", "49.611600",
                  "6.129700", "10:00", "18:00", (0, 1, 2, 3, 4, 5), own_device=True),
        ),
        rules={"name": "Mode Claire", "loyalty_type": LoyaltyType.POINTS, "points_per_euro": "1",
               "welcome_bonus_points": 20},
        rewards=(("Bon d'achat de 5 €", 100), ("Bon d'achat de 15 €", 250), ("Bon d'achat de 40 €", 500)),
        habits=Habits(peaks=((1.0, 11.0), (2.0, 13.0), (3.0, 16.5)), days_between=(12.0, 21.0, 30.0, 55.0),
                      basket=(1990, 18990)),
    ),
    Shop(
        name="Barbier Royal", slug="barbier-royal", legal_name="Barbier Royal S.à r.l.-S", trade=Trade.BARBER,
        language="fr", card_color="#123B4A", owner="Marc Weber", customers=95,
        places=(
            Place("barbier-royal-limpertsberg", "Barbier Royal Limpertsberg", "54, avenue Pasteur", "L-2311",
                  "49.618400", "6.122700", "09:00", "19:00", (1, 2, 3, 4, 5)),
        ),
        rules={"name": "Barbier Royal", "loyalty_type": LoyaltyType.HYBRID, "stamps_target": 8,
               "stamps_reward_description": "Coupe offerte", "points_per_euro": "1"},
        rewards=(("Soin de la barbe", 150), ("Produit coiffant", 300)),
        habits=Habits(peaks=((2.0, 10.0), (2.0, 12.5), (4.0, 17.2)), days_between=(14.0, 21.0, 28.0, 40.0),
                      basket=(2800, 6500)),
    ),
)  # fmt: skip
