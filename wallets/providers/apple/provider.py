"""Apple Wallet behind the Protocol of all wallets: a card rendered as a signed .pkpass."""

import hashlib
from uuid import UUID

from wallets.enums import Provider
from wallets.providers import pictures
from wallets.providers.apple import credentials, package, pass_json, signature, strings
from wallets.providers.base import PassIdentity, Problem, Rendered
from wallets.providers.errors import CannotRender
from wallets.rules.description import CardDescription

CONTENT_TYPE = "application/vnd.apple.pkpass"


class AppleProvider:
    """Makes passes; nothing here asks Apple. The push service is beside, in apns.py."""

    name = Provider.APPLE

    def __init__(self) -> None:
        self._assets = package.AssetCache()

    def configured(self, merchant_id: UUID | None = None) -> bool:
        """Tell whether passes can be signed now."""
        return credentials.configured(merchant_id)

    def problems(self, merchant_id: UUID | None = None) -> list[Problem]:
        """Return what is missing or wrong with certificate and key; [] when all is well."""
        return credentials.problems(merchant_id)

    def render(self, card: CardDescription, identity: PassIdentity) -> Rendered:
        """Return the signed package. The digest leaves the signature out: it has a time of its own.

        Raises NotConfigured, BrokenCredential, or CannotRender when the card's content makes no pass.
        """
        credential = credentials.current(card.program.merchant_id)
        content = self._content(card, identity, credential)
        images = pictures.for_apple(card)
        assets = self._assets.get(images.key, lambda: {**images.files, **strings.files()})
        listed = package.manifest(assets, content)
        own = {"pass.json": content, "manifest.json": listed, "signature": signature.sign(listed, credential)}
        return Rendered(package.pack(assets, own), hashlib.sha256(listed).hexdigest())

    def _content(self, card: CardDescription, identity: PassIdentity, credential: credentials.Credential) -> bytes:
        built = pass_json.build(card, identity, pass_type_id=credential.pass_type_id, team_id=credential.team_id)
        try:
            return package.encode(built)
        except (ValueError, TypeError) as error:
            raise CannotRender(f"The card's content is no JSON: {error}.") from error


APPLE = AppleProvider()
