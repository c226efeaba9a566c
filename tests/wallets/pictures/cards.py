"""Cards to draw, made by hand."""

from uuid import UUID

from wallets.rules.description import Branding, CardDescription, ProgramDescription

NAMELESS = UUID(int=0)


def card(
    *, color: str = "#5A2D1A", trade: str = "cafe", stamps: int | None = 7, target: int | None = 10, logo: str = "",
    seed: str = "a-program", points: int | None = None, holder: str = "", number: str = "412780930576",
) -> CardDescription:  # fmt: skip
    """Return a card that shows stamps, or points where stamps is None."""
    kind = "points" if stamps is None else "stamps" if points is None else "hybrid"
    program = ProgramDescription(
        merchant_id=NAMELESS, merchant_name="CoffeeLux", program_id=NAMELESS, name="CoffeeLux", loyalty_type=kind,
        branding=Branding(color, trade, logo, seed), language="fr", country="LU", currency="EUR",
        time_zone="Europe/Luxembourg",
    )  # fmt: skip
    return CardDescription(
        program=program, card_number=number, code="https://loyalty.example/c/x", language="fr", holder=holder,
        stamps=stamps, stamps_target=target if stamps is not None else None, points=points,
    )  # fmt: skip
