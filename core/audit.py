"""The audit: who did what to whom and why. Append-only, so what stands in it can never be erased.

For that reason neither facts nor reasons name a customer: ids only.
"""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core.errors import ValidationFailed
from core.models import AuditEntry

# What the nightly check of the ledger found; core looks for it, loyalty writes it.
LEDGER_VERIFIED = "ledger_verified"
SHORTEST, LONGEST = 3, 300
SHORTEST_WORD, DIGITS = 3, 6
_WORD = re.compile(r"\w+")


def note(
    *,
    action: str,
    target: str,
    actor_id: UUID | None,
    merchant_id: UUID | None = None,
    reason: str = "",
    facts: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write an entry in the open scope and transaction. target: "card <id>"; facts: ids, codes and settings only."""
    return AuditEntry.objects.create(
        merchant_id=merchant_id, actor_id=actor_id, action=action, target=target, reason=reason, facts=facts or {}
    )  # fmt: skip


def clean_reason(text: str, *, without: Iterable[str] = ()) -> str:
    """Return a reason in one line; raises ValidationFailed for none, a long one, or one that holds an address.

    without: names, addresses and numbers of the person it is about; a reason that holds a word of one is refused.
    """
    cleaned = " ".join(text.replace("\x00", "").split())
    if not SHORTEST <= len(cleaned) <= LONGEST:
        raise ValidationFailed.of("reason", "required", _("Say why, in 3 to 300 characters."))
    if "@" in cleaned:
        raise ValidationFailed.of("reason", "personal_data", _("Leave addresses out: this note is kept for good."))
    if any(_tells(cleaned, told) for told in without):
        raise ValidationFailed.of("reason", "personal_data", _("Leave the name out: this note is kept for good."))
    return cleaned


def _tells(reason: str, told: str) -> bool:
    """Tell whether a reason holds a word of a name or of an address before its @, or the end of a number."""
    digits = re.sub(r"\D", "", told)
    if len(digits) >= DIGITS and digits[-DIGITS:] in re.sub(r"\D", "", reason):
        return True
    wanted = {word for word in _WORD.findall(told.partition("@")[0].casefold()) if len(word) >= SHORTEST_WORD}
    return not wanted.isdisjoint(_WORD.findall(reason.casefold()))
