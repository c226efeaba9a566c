"""What the rest of the house knows of a wallet provider, and the words in which a provider's answer is judged."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from wallets.enums import Provider
from wallets.rules.description import CardDescription


@dataclass(frozen=True, slots=True)
class Rendered:
    """A card as one provider wants it: bytes of a .pkpass or the JSON of an object. digest: SHA-256 of what it shows.

    The digest leaves out what differs between two renderings of the same state, such as a signature's time.
    """

    content: Any
    digest: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a provider from working: a code, the setting it is about, and whether it stops everything.

    detail: the exact fault in English, for the operator.
    """

    code: str
    setting: str
    detail: str
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class PassIdentity:
    """What names a pass at its provider, for life: Apple's serial number, Google's object id.

    token: Apple's authentication token; group: Google's class id.
    """

    name: str
    token: str = ""
    group: str = ""


class Verdict(StrEnum):
    """What a provider's answer to one update means for it."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    GONE = "gone"
    REFUSED = "refused"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer to one update.

    RETRY: a fault that passes (429, 5xx, no connection). GONE: nobody is there any more (410). REFUSED: this update
    will never be taken (another 4xx, or it cannot be rendered). BLOCKED: the credential is refused, nothing is taken.
    retry_after: seconds the provider asks for, None when it does not. reason: its words, as they came, shortened.
    """

    verdict: Verdict
    reason: str = ""
    status: int = 0
    retry_after: float | None = None


class WalletProvider(Protocol):
    """One wallet. Credentials are looked up per merchant, though today they are the platform's."""

    name: Provider

    def configured(self, merchant_id: UUID | None = None) -> bool:
        """Tell whether passes can be made: all settings are there and their files can be read."""

    def problems(self, merchant_id: UUID | None = None) -> list[Problem]:
        """Return what is missing or wrong with the credentials, without asking the provider; [] when all is well."""

    def render(self, card: CardDescription, identity: PassIdentity) -> Rendered:
        """Render a card; raises wallets.providers.errors.CannotRender when its content is impossible."""
