"""How a wallet stands as a whole: set up or not, what is wrong, whether the provider takes our credential, how long."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from wallets.enums import Provider
from wallets.models import ProviderState
from wallets.providers.apple import checks as apple_checks
from wallets.providers.apple import credentials as apple
from wallets.providers.base import Problem
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.providers.google import credentials as google
from wallets.queries.providers import in_use


@dataclass(frozen=True, slots=True)
class Standing:
    """One wallet. problems: what is missing or wrong, exactly, for the operator; blocked_at: refused since.

    ends_at: when the certificate ends, None where it is unknown. for_development: phones do not trust it.
    """

    provider: Provider
    set_up: bool
    problems: tuple[Problem, ...] = ()
    fingerprint: str = ""
    ends_at: datetime | None = None
    blocked_at: datetime | None = None
    reason: str = ""
    for_development: bool = False

    @property
    def is_working(self) -> bool:
        """Whether passes are made and told of changes."""
        return self.set_up and not any(problem.fatal for problem in self.problems) and self.blocked_at is None


def of(provider: Provider, merchant_id: UUID | None = None) -> Standing:
    """Return how a wallet stands. One query; the provider is not asked."""
    problems = tuple((apple if provider == Provider.APPLE else google).problems(merchant_id))
    if not in_use(provider, merchant_id):
        return Standing(provider, set_up=False, problems=problems)
    try:
        return _with_credential(provider, merchant_id, problems)
    except (NotConfigured, BrokenCredential):
        return Standing(provider, set_up=True, problems=problems)


def notice() -> str:
    """Return the word under the buttons when Apple's passes are signed by a chain that no phone trusts, else ""."""
    try:
        for_development = apple_checks.is_for_development(apple.current())
    except (NotConfigured, BrokenCredential):
        return ""
    return _("Made for development: an iPhone does not trust the signature of this pass.") if for_development else ""


def _with_credential(provider: Provider, merchant_id: UUID | None, problems: tuple[Problem, ...]) -> Standing:
    ends_at, for_development = None, False
    if provider == Provider.APPLE:
        credential = apple.current(merchant_id)
        fingerprint, ends_at = credential.fingerprint, credential.not_after
        for_development = apple_checks.is_for_development(credential)
    else:
        fingerprint = google.current(merchant_id).fingerprint
    state = ProviderState.objects.filter(provider=provider, credential=fingerprint).first()
    return Standing(
        provider, set_up=True, problems=problems, fingerprint=fingerprint, ends_at=ends_at,
        blocked_at=state.blocked_at if state else None, reason=state.reason if state else "",
        for_development=for_development,
    )  # fmt: skip
