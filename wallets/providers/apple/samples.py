"""Cards that look like real ones, for measurements: a hybrid program with stores, terms and links."""

from uuid import UUID

from wallets.providers.base import PassIdentity
from wallets.rules.description import Branding, CardDescription, NextReward, Place, ProgramDescription

TARGET = 10
BALANCES = 500


def cards() -> list[CardDescription]:
    """Return cards of one program whose balances all differ; the strip shows each count of stamps."""
    return [_card(_program(), number) for number in range(BALANCES)]


def identity(number: int) -> PassIdentity:
    """Return a serial and a token as a pass has them."""
    return PassIdentity(name=f"S{number:023d}", token=f"T{number:042d}")


def _program() -> ProgramDescription:
    places = tuple(
        Place(name, f"{number} rue de la Gare, Luxembourg", 49.6 + number / 1000, 6.13 - number / 1000)
        for number, name in enumerate(("CoffeeLux Gare", "CoffeeLux Kirchberg", "CoffeeLux Limpertsberg"), 1)
    )
    terms = "One stamp for each coffee. Not for cash. Rewards are valid in all our stores. " * 4
    return ProgramDescription(
        merchant_id=UUID(int=1), merchant_name="CoffeeLux", program_id=UUID(int=2), name="CoffeeLux Club",
        loyalty_type="hybrid", branding=Branding("#5a2d1a", "cafe", "", "sample"), language="fr", country="LU",
        currency="EUR", time_zone="Europe/Luxembourg", places=places, terms={"en": terms, "fr": terms},
        website="https://coffeelux.example", privacy_url="https://cards.example/loyalty/coffeelux-gare/privacy",
    )  # fmt: skip


def _card(program: ProgramDescription, number: int) -> CardDescription:
    stamps = number % TARGET
    return CardDescription(
        program=program, card_number=f"{number:012d}", code=f"https://cards.example/c/{number:022d}", language="fr",
        holder=f"Zoé Müller {number}", stamps=stamps, stamps_target=TARGET, points=7 * number,
        next_reward=NextReward("Café offert", TARGET - stamps, "stamps"),
        card_url="https://cards.example/loyalty/coffeelux-gare/dashboard",
    )  # fmt: skip
