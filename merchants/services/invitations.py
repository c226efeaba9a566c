"""Invitations to a merchant's team: sent by mail, taken back, sent again, and accepted once within a week.

An address is never looked up among accounts here: whether it has one shows to the holder of the mail's link only.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from core import audit, outbox, tenancy, throttling
from core.errors import DomainError, NotFound, PermissionDenied, Throttled, ValidationFailed
from core.ids import uuid7
from merchants.enums import MerchantStatus, Role
from merchants.models import Invitation, Membership, Merchant, MerchantSettings, User
from merchants.permissions import OWNER_ROLES, has_right
from merchants.queries import invitations as invitation_queries
from merchants.queries.invitations import InvitationGone
from merchants.services import fields

LIFETIME = timedelta(days=7)
HOUR, DAY = 3600, 86_400
MAILS_PER_HOUR, MAILS_PER_ADDRESS_AND_DAY = 40, 5


class AlreadyMember(DomainError):
    """The address belongs to somebody of the team."""

    code = "already_member"
    message = _("This person is in your team already.")


class MailsStopped(DomainError):
    """The platform has stopped this merchant's mails."""

    code = "messages_suspended"
    message = _("No mails are sent for your account right now. Write to us, and we look at it together.")


class WrongAccount(DomainError):
    """The invitation was sent to another address than that of the signed-in person."""

    code, status, keep = "wrong_account", 403, False
    message = _("This invitation was sent to another address than the one you are signed in with.")


class AccountExists(DomainError):
    """The address has an account by now: its owner signs in."""

    code, keep = "account_exists", False
    message = _("You have an account with this address. Sign in to go on.")


@dataclass(frozen=True, slots=True)
class Joined:
    """Who joined which merchant. already: the person was of the team before, and their role stays."""

    user: User
    merchant_id: UUID
    already: bool


def invite(
    *, merchant_id: UUID, email: str, role: str, acting_role: str, actor_id: UUID | None, at: datetime
) -> Invitation:  # fmt: skip
    """Invite an address to the team and have the mail sent; an open invitation of the address is renewed.

    Only owners invite owners. Raises ValidationFailed (`email`, `role`), PermissionDenied, AlreadyMember, MailsStopped
    and Throttled.
    """
    address = _checked(email, role)
    _refuse_unless_allowed(acting_role, role)
    with tenancy.scope(merchant_id):
        _lock_merchant(merchant_id)
        if invitation_queries.is_member(address):
            raise AlreadyMember
        row = invitation_queries.pending().filter(email=address).first()
        if row is not None:
            _refuse_unless_allowed(acting_role, row.role)
        _count_mail(merchant_id, address)
        row = row or Invitation(id=uuid7(), email=address)
        row.role, row.invited_by_id = role, actor_id
        _send(row, at)
        _note(row, "team_invited", actor_id)
    return row


def resend(
    *, merchant_id: UUID, invitation_id: UUID, acting_role: str, actor_id: UUID | None, at: datetime
) -> Invitation:
    """Send an open invitation again, for another week; the link of the earlier mail no longer works.

    Raises NotFound, PermissionDenied, MailsStopped and Throttled.
    """
    with tenancy.scope(merchant_id):
        _lock_merchant(merchant_id)
        row = _locked(invitation_id)
        _refuse_unless_allowed(acting_role, row.role)
        _count_mail(merchant_id, row.email)
        if actor_id is not None:
            row.invited_by_id = actor_id
        _send(row, at)
        _note(row, "team_invitation_resent", actor_id)
    return row


def revoke(*, merchant_id: UUID, invitation_id: UUID, acting_role: str, actor_id: UUID | None, at: datetime) -> None:
    """Take an open invitation back; its link stops working at once. Raises NotFound and PermissionDenied."""
    with tenancy.scope(merchant_id):
        row = _locked(invitation_id)
        _refuse_unless_allowed(acting_role, row.role)
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        _note(row, "team_invitation_revoked", actor_id)


def accept(*, token: str, user: User, at: datetime) -> Joined:
    """Let a signed-in person join by the link that was sent to their address.

    Somebody who left comes back in the new role; somebody who is in the team stays as they are. Raises InvitationGone
    and WrongAccount.
    """
    merchant_id, invitation_id = invitation_queries.behind(token)
    with tenancy.scope(merchant_id):
        row = _claimed(merchant_id, invitation_id, at)
        if not owns(user, row.email):
            raise WrongAccount
        return _join(row, user, at)


def accept_as_new(*, token: str, name: str, password: str, language: str, at: datetime) -> Joined:
    """Make an account for the invited address and join: that the link was opened proves the address.

    password: checked by the caller against the rules. Raises InvitationGone and AccountExists.
    """
    merchant_id, invitation_id = invitation_queries.behind(token)
    with tenancy.scope(merchant_id):
        row = _claimed(merchant_id, invitation_id, at)
        if invitation_queries.account_of(row.email) is not None:
            raise AccountExists
        try:
            with transaction.atomic():
                user = User.objects.create_user(row.email, password, name=fields.line(name)[:120], language=language)
        except IntegrityError as error:
            raise AccountExists from error
        EmailAddress.objects.create(user=user, email=row.email, verified=True, primary=True)
        return _join(row, user, at)


def token_of(row: Invitation) -> str:
    """Return the token of an invitation's link: derived, so that a mail sent twice carries the same one.

    A new data key makes a new token; the caller keeps its hash where it differs.
    """
    keys = [_derived(key, row) for key in settings.LOYALTY_DATA_KEYS]
    return next((token for token in keys if invitation_queries.hash_of(token) == row.token_hash), keys[0])


def _checked(email: Any, role: str) -> str:
    address = fields.line(email).lower() if isinstance(email, str) else ""
    try:
        validate_email(address)
    except ValidationError:
        raise ValidationFailed.of("email", "invalid", _("Write an address such as marie@example.com.")) from None
    if len(address) > 254:
        raise ValidationFailed.of("email", "max_length", _("This is too long."))
    if role not in Role.values:
        raise ValidationFailed.of("role", "unknown_role", _("Choose owner, manager or staff."))
    return address


def _refuse_unless_allowed(acting_role: str, role: str) -> None:
    if acting_role not in (Role.OWNER, Role.MANAGER):
        raise PermissionDenied
    if role == Role.OWNER and not has_right(acting_role, OWNER_ROLES):
        raise PermissionDenied(required_right=OWNER_ROLES)


def _lock_merchant(merchant_id: UUID) -> None:
    """Lock the merchant, so that two invitations of one address become one; refuse where its mails are stopped.

    Who is late with the bill writes to no customer any more, but to the own team.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    stopped = MerchantSettings.objects.values_list("messages_suspended", flat=True).first()
    if stopped or merchant.status in (MerchantStatus.SUSPENDED, MerchantStatus.CLOSED):
        raise MailsStopped


def _count_mail(merchant_id: UUID, address: str) -> None:
    """Count a mail: per merchant, and per address over all merchants, so that nobody is written to without end."""
    whom = hashlib.sha256(address.encode()).hexdigest()[:32]
    if not throttling.allow(f"invite:{merchant_id}", limit=MAILS_PER_HOUR, period=HOUR):
        raise Throttled(retry_after=throttling.seconds_left(HOUR))
    if not throttling.allow(f"invite-to:{whom}", limit=MAILS_PER_ADDRESS_AND_DAY, period=DAY):
        raise Throttled(retry_after=throttling.seconds_left(DAY))


def _send(row: Invitation, at: datetime) -> None:
    row.expires_at = at + LIFETIME
    row.token_hash = invitation_queries.hash_of(_derived(settings.LOYALTY_DATA_KEYS[0], row))
    row.save()
    outbox.publish("merchants.invited", merchant_id=row.merchant_id, invitation_id=str(row.pk))


def _derived(key: str, row: Invitation) -> str:
    message = b"team-invitation" + row.pk.bytes + row.expires_at.isoformat().encode()
    digest = hmac.new(key.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _locked(invitation_id: UUID) -> Invitation:
    row: Invitation | None = (
        invitation_queries.pending().select_for_update(of=("self",)).filter(pk=invitation_id).first()
    )
    if row is None:
        raise NotFound
    return row


def _claimed(merchant_id: UUID, invitation_id: UUID, at: datetime) -> Invitation:
    """Lock an invitation that is to be accepted: a second one who comes with the link finds it used."""
    try:
        row = _locked(invitation_id)
    except NotFound:
        raise InvitationGone from None
    if not invitation_queries.is_open(row, Merchant.objects.get(pk=merchant_id), at=at):
        raise InvitationGone
    return row


def owns(user: User, email: str) -> bool:
    """Tell whether an address is a person's: the one they sign in with, or another they have confirmed."""
    if user.email == email:
        return True
    return bool(EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists())


def _join(row: Invitation, user: User, at: datetime) -> Joined:
    member = Membership.objects.select_for_update().filter(user=user).first()
    already = member is not None and member.is_active
    if member is None:
        Membership.objects.create(merchant_id=row.merchant_id, user=user, role=row.role)
    elif not already:
        member.role, member.is_active = row.role, True
        member.save(update_fields=["role", "is_active"])
    row.accepted_at = at
    row.save(update_fields=["accepted_at"])
    _note(row, "team_joined", user.pk)
    return Joined(user, row.merchant_id, already)


def _note(row: Invitation, action: str, actor_id: UUID | None) -> None:
    audit.note(
        action=action, target=f"invitation {row.pk}", actor_id=actor_id, merchant_id=row.merchant_id,
        facts={"role": row.role},
    )  # fmt: skip
