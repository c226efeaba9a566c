"""The mail of an invitation: in the language of whoever invites, with the link that proves the address."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation

from core import mail_pages, tenancy
from merchants.models import Invitation, Merchant
from merchants.queries import invitations as invitation_queries
from merchants.services import invitations


def letter(*, merchant_id: UUID, invitation_id: UUID, at: datetime) -> EmailMessage | None:
    """Return the mail of an invitation that is still open, None for any other. The caller sends it.

    Asked twice it carries the same link; after a data key was rotated the new one, and only that one works.
    """
    with tenancy.scope(merchant_id):
        row = invitation_queries.pending().select_for_update(of=("self",)).filter(pk=invitation_id).first()
        merchant = Merchant.objects.get(pk=merchant_id)
        if row is None or not invitation_queries.is_open(row, merchant, at=at):
            return None
        token = invitations.token_of(row)
        kept = invitation_queries.hash_of(token)
        if kept != row.token_hash:
            row.token_hash = kept
            row.save(update_fields=["token_hash"])
        return _written(row, merchant, token)


def _written(row: Invitation, merchant: Merchant, token: str) -> EmailMessage:
    sender = row.invited_by
    context = {
        "merchant": " ".join(merchant.name.split()),
        "inviter": sender.name if sender else "",
        "role": row.role,
        "expires_at": row.expires_at,
        "link": f"{settings.SITE_URL}/invitations/{token}",
    }
    zone = ZoneInfo(merchant.time_zone)
    with (
        timezone.override(zone),
        translation.override((sender.language if sender else "") or merchant.default_language),
    ):
        subject = render_to_string("merchants/mail/invitation_subject.txt", context)
        body = render_to_string("merchants/mail/invitation.txt", context)
        return mail_pages.message(subject, body, row.email)
