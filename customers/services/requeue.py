"""Failed mails, put in the queue again by a person who has mended what made them fail."""

from datetime import datetime
from uuid import UUID

from core import audit, tenancy
from core.errors import NotFound
from customers.enums import MailState
from customers.models import Mail
from customers.services import erasure


def failed_mail(*, merchant_id: UUID, mail_id: UUID, reason: str, at: datetime, actor_id: UUID) -> bool:
    """Queue a failed mail again with fresh tries; False when it has not failed. Raises NotFound.

    Consent and address are asked for again when it is sent.
    """
    with tenancy.scope(merchant_id):
        mail = Mail.objects.select_for_update(of=("self",)).filter(pk=mail_id).first()
        if mail is None:
            raise NotFound
        if mail.state != MailState.FAILED:
            return False
        why = audit.clean_reason(reason, without=erasure.words([mail.customer]))
        mail.state, mail.attempts, mail.due_at, mail.claimed_at = MailState.QUEUED, 0, at, None
        mail.save(update_fields=["state", "attempts", "due_at", "claimed_at"])
        audit.note(
            action="mail_requeued", target=f"mail {mail_id}", actor_id=actor_id, merchant_id=merchant_id, reason=why,
            facts={"kind": mail.kind, "at": at.isoformat()},
        )  # fmt: skip
    return True
