"""Google Wallet as the house sees it."""

from uuid import UUID

from wallets.enums import Provider
from wallets.providers import pictures
from wallets.providers.base import PassIdentity, Problem, Rendered
from wallets.providers.errors import CannotRender
from wallets.providers.google import credentials, mapping
from wallets.providers.google.differences import digest
from wallets.rules.description import CardDescription, ProgramDescription, Standing


class GoogleWallet:
    """Renders cards as the JSON of loyalty objects, programs as that of loyalty classes."""

    name = Provider.GOOGLE

    def configured(self, merchant_id: UUID | None = None) -> bool:
        """Tell whether objects can be made: the settings are there and the service account can be read."""
        return credentials.configured(merchant_id)

    def problems(self, merchant_id: UUID | None = None) -> list[Problem]:
        """Return what is missing or wrong with the service account; [] when all is well."""
        return credentials.problems(merchant_id)

    def render(self, card: CardDescription, identity: PassIdentity) -> Rendered:
        """Render a card as its object; identity.group is the class."""
        _check(identity.name, identity.group)
        hero = "" if card.standing is Standing.OVER else pictures.hero_url(card)
        body = mapping.object_body(card, object_id=identity.name, class_id=identity.group, hero=hero)
        return Rendered(body, digest(body))

    def render_class(self, program: ProgramDescription, class_id: str) -> Rendered:
        """Render a program as its class."""
        _check(class_id)
        body = mapping.class_body(program, class_id=class_id, logo=pictures.logo_url(program))
        return Rendered(body, digest(body))


def _check(*names: str) -> None:
    for name in names:
        issuer, _, rest = name.partition(".")
        if not issuer.isdecimal() or not rest:
            raise CannotRender(f"{name!r} is no name at Google: it begins with the issuer's number and a dot")


GOOGLE = GoogleWallet()
