"""Invitations: who may invite whom, a link that works once and in time, and nobody learns whose address is known."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from core import tenancy
from core.errors import DomainError, NotFound, PermissionDenied, Throttled, ValidationFailed
from core.ids import uuid7
from core.models import AuditEntry, OutboxEvent
from merchants.enums import MerchantStatus, Role
from merchants.models import Invitation, Membership, Merchant, MerchantSettings, User
from merchants.queries import invitations as invitation_queries
from merchants.queries.invitations import InvitationGone
from merchants.services import invitations, team
from merchants.services.invitations import AccountExists, AlreadyMember, MailsStopped, WrongAccount
from merchants.tasks import mail_invitation
from tests.factories.merchants import MembershipFactory, MerchantFactory, UserFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ADDRESS = "léa.new@example.com".replace("é", "e")
PASSWORD = "three-odd-words-42"


class Office:
    """A merchant with an owner and a manager, and what they do."""

    def __init__(self) -> None:
        self.merchant = MerchantFactory(name="Café Um Eck")
        self.owner = MembershipFactory(merchant=self.merchant, role=Role.OWNER)
        self.manager = MembershipFactory(merchant=self.merchant, role=Role.MANAGER)
        self.at = timezone.now()

    @property
    def id(self) -> UUID:
        return UUID(str(self.merchant.pk))

    def invite(self, email: str = ADDRESS, role: str = Role.MANAGER, by: Membership | None = None) -> Invitation:
        who = by or self.owner
        return invitations.invite(
            merchant_id=self.id, email=email, role=role, acting_role=who.role, actor_id=who.user_id, at=self.at
        )

    def token(self, row: Invitation) -> str:
        with tenancy.scope(self.id):
            return invitations.token_of(Invitation.objects.get(pk=row.pk))

    def roles(self) -> dict[str, str]:
        with tenancy.scope(self.id):
            return dict(Membership.objects.filter(is_active=True).values_list("user__email", "role"))

    def row(self, row: Invitation) -> Invitation:
        with tenancy.scope(self.id):
            return Invitation.objects.get(pk=row.pk)

    def set(self, **changes: Any) -> None:
        with tenancy.scope(self.id):
            Merchant.objects.update(**changes)


@pytest.fixture
def office(db: None) -> Office:
    return Office()


def test_it_works(office: Office) -> None:
    made = office.invite("  Lea.New@Example.com ")

    joined = invitations.accept_as_new(
        token=office.token(made), name="Léa  Klein", password=PASSWORD, language="lb", at=office.at
    )

    user = User.objects.get(email=ADDRESS)
    assert (joined.user, joined.already) == (user, False)
    assert (user.name, user.language, user.check_password(PASSWORD)) == ("Léa Klein", "lb", True)
    assert EmailAddress.objects.get(user=user).verified
    assert office.roles()[ADDRESS] == Role.MANAGER
    with tenancy.scope(office.id):
        actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
        assert actions == ["team_invited", "team_joined"]
        assert ADDRESS not in str(list(AuditEntry.objects.values_list("target", "facts", "reason")))


def test_the_mail_carries_the_link_in_the_inviters_language(office: Office) -> None:
    office.owner.user.language = "en"
    office.owner.user.save()
    made = office.invite()
    with tenancy.scope(office.id):
        event = OutboxEvent.objects.get(topic="merchants.invited")

    mail_invitation(str(office.id), **event.payload)
    mail_invitation(str(office.id), **event.payload)

    first, again = mail.outbox
    [link] = re.findall(r"http\S+/invitations/(\S+)", first.body)
    assert (first.to, first.body) == ([ADDRESS], again.body)
    assert "Café Um Eck" in first.subject
    assert invitation_queries.offer(link, at=office.at).invitation_id == made.pk
    assert link not in str(office.row(made).__dict__)


def test_a_mail_of_an_invitation_taken_back_is_not_sent(office: Office) -> None:
    made = office.invite()
    invitations.revoke(
        merchant_id=office.id, invitation_id=made.pk, acting_role=Role.OWNER, actor_id=None, at=office.at
    )

    mail_invitation(str(office.id), invitation_id=str(made.pk))
    mail_invitation(str(office.id), invitation_id=str(uuid7()))

    assert mail.outbox == []


def test_a_mail_after_the_data_key_was_rotated_carries_a_link_that_works(office: Office, settings: Any) -> None:
    made = office.invite()
    settings.LOYALTY_DATA_KEYS = [Fernet.generate_key().decode()]

    mail_invitation(str(office.id), invitation_id=str(made.pk))

    [link] = re.findall(r"http\S+/invitations/(\S+)", mail.outbox[0].body)
    assert invitation_queries.offer(link, at=office.at).invitation_id == made.pk


def test_only_owners_invite_owners(office: Office) -> None:
    owners = office.invite(role=Role.OWNER)
    clerk = MembershipFactory(merchant=office.merchant, role=Role.STAFF)

    for refused in (
        lambda: office.invite("other@example.com", Role.OWNER, office.manager),
        lambda: office.invite(ADDRESS, Role.STAFF, office.manager),
        lambda: office.invite("other@example.com", Role.STAFF, clerk),
        lambda: invitations.resend(
            merchant_id=office.id, invitation_id=owners.pk, acting_role=Role.MANAGER, actor_id=None, at=office.at
        ),
        lambda: invitations.revoke(
            merchant_id=office.id, invitation_id=owners.pk, acting_role=Role.MANAGER, actor_id=None, at=office.at
        ),
    ):
        with pytest.raises(PermissionDenied):
            refused()
    office.invite("other@example.com", Role.STAFF, office.manager)
    assert office.row(owners).role == Role.OWNER


def test_inviting_the_same_address_again_renews_the_one_invitation(office: Office) -> None:
    first = office.invite()
    old = office.token(first)
    office.at += timedelta(hours=1)

    second = office.invite(role=Role.STAFF)

    assert (second.pk, office.row(first).role) == (first.pk, Role.STAFF)
    with pytest.raises(InvitationGone):
        invitation_queries.offer(old, at=office.at)
    assert invitation_queries.offer(office.token(second), at=office.at).role == Role.STAFF


def test_inviting_tells_nobody_whether_an_address_has_an_account(office: Office) -> None:
    UserFactory(email="known@example.com")
    MembershipFactory(user=UserFactory(email="elsewhere@example.com"))

    rows = [office.invite(email) for email in ("known@example.com", "elsewhere@example.com", "unknown@example.com")]

    assert len({(row.role, row.expires_at, row.invited_by_id) for row in rows}) == 1


def test_refuses_to_invite_who_is_in_the_team(office: Office) -> None:
    with pytest.raises(AlreadyMember):
        office.invite(office.manager.user.email.upper())


def test_somebody_who_left_comes_back_in_the_new_role(office: Office) -> None:
    user = office.manager.user
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    team.remove(merchant_id=office.id, membership_id=office.manager.pk, actor_id=office.owner.user_id, at=office.at)
    made = office.invite(user.email, Role.STAFF)

    joined = invitations.accept(token=office.token(made), user=user, at=office.at)

    assert (joined.already, office.roles()[user.email]) == (False, Role.STAFF)


def test_somebody_who_is_in_the_team_by_now_keeps_the_role(office: Office) -> None:
    user = UserFactory(email=ADDRESS)
    made = office.invite(role=Role.OWNER)
    MembershipFactory(merchant=office.merchant, user=user, role=Role.STAFF)

    joined = invitations.accept(token=office.token(made), user=user, at=office.at)

    assert (joined.already, office.roles()[ADDRESS]) == (True, Role.STAFF)


def test_an_account_of_another_address_does_not_join(office: Office) -> None:
    made = office.invite()
    stranger = UserFactory()
    EmailAddress.objects.create(user=stranger, email=ADDRESS, verified=False)

    with pytest.raises(WrongAccount):
        invitations.accept(token=office.token(made), user=stranger, at=office.at)
    assert stranger.email not in office.roles()
    assert office.row(made).accepted_at is None


def test_a_second_confirmed_address_counts(office: Office) -> None:
    made = office.invite()
    user = UserFactory()
    EmailAddress.objects.create(user=user, email=ADDRESS, verified=True)

    invitations.accept(token=office.token(made), user=user, at=office.at)

    assert user.email in office.roles()


def test_an_existing_account_is_not_taken_over_by_a_new_password(office: Office) -> None:
    user = UserFactory(email=ADDRESS)
    made = office.invite()

    with pytest.raises(AccountExists):
        invitations.accept_as_new(token=office.token(made), name="X", password=PASSWORD, language="en", at=office.at)
    user.refresh_from_db()
    assert not user.check_password(PASSWORD)
    assert office.row(made).accepted_at is None


@pytest.mark.parametrize("how", ["used", "revoked", "expired", "closed", "sender left", "sender demoted", "unknown"])
def test_a_link_that_no_longer_counts_opens_nothing(office: Office, how: str) -> None:
    second = MembershipFactory(merchant=office.merchant, role=Role.OWNER)
    made = office.invite(role=Role.OWNER, by=second)
    token, at = office.token(made), office.at
    if how == "used":
        invitations.accept_as_new(token=token, name="A", password=PASSWORD, language="en", at=at)
    elif how == "revoked":
        invitations.revoke(merchant_id=office.id, invitation_id=made.pk, acting_role="owner", actor_id=None, at=at)
    elif how == "expired":
        at += timedelta(days=7)
    elif how == "closed":
        office.set(status=MerchantStatus.CLOSED)
    elif how == "sender left":
        team.remove(merchant_id=office.id, membership_id=second.pk, actor_id=office.owner.user_id, at=at)
    elif how == "sender demoted":
        team.change_role(
            merchant_id=office.id, membership_id=second.pk, role="manager", actor_id=office.owner.user_id, at=at
        )
    else:
        token = "x" * 43
    before = office.roles()

    for refused in (
        lambda: invitation_queries.offer(token, at=at),
        lambda: invitations.accept(token=token, user=UserFactory(email=f"a{at:%d}@example.com"), at=at),
        lambda: invitations.accept_as_new(token=token, name="B", password=PASSWORD, language="en", at=at),
    ):
        with pytest.raises(InvitationGone) as caught:
            refused()
    assert caught.value.status == 410
    assert office.roles() == before


def test_a_link_is_good_for_a_week_to_the_second(office: Office) -> None:
    made = office.invite()
    last = office.at + timedelta(days=7) - timedelta(seconds=1)

    assert invitation_queries.offer(office.token(made), at=last).email == ADDRESS


@pytest.mark.parametrize("status", [MerchantStatus.SUSPENDED, MerchantStatus.CLOSED])
def test_a_suspended_merchant_sends_no_invitations(office: Office, status: str) -> None:
    office.set(status=status)

    with pytest.raises(MailsStopped) as caught:
        office.invite()
    assert caught.value.code == "messages_suspended"


def test_a_merchant_whose_mails_are_stopped_sends_none_either_but_late_ones_do(office: Office) -> None:
    office.set(status=MerchantStatus.LATE)
    made = office.invite()
    with tenancy.scope(office.id):
        MerchantSettings.objects.update(messages_suspended=True)

    with pytest.raises(MailsStopped):
        invitations.resend(
            merchant_id=office.id, invitation_id=made.pk, acting_role=Role.OWNER, actor_id=None, at=office.at
        )


def test_what_was_sent_before_a_suspension_can_be_accepted(office: Office) -> None:
    made = office.invite()
    office.set(status=MerchantStatus.SUSPENDED)

    invitations.accept_as_new(token=office.token(made), name="A", password=PASSWORD, language="en", at=office.at)

    assert ADDRESS in office.roles()


def test_nobody_is_written_to_without_end(office: Office) -> None:
    for _ in range(invitations.MAILS_PER_ADDRESS_AND_DAY):
        office.invite()

    with pytest.raises(Throttled) as caught:
        office.invite()
    assert 0 < caught.value.retry_after <= 86_400
    other = Office()
    with pytest.raises(Throttled):
        other.invite()
    office.invite("another@example.com")


def test_a_merchant_sends_so_many_an_hour_and_no_more(office: Office) -> None:
    for number in range(invitations.MAILS_PER_HOUR):
        office.invite(f"person{number}@example.org")

    with pytest.raises(Throttled):
        office.invite("one.more@example.org")


@pytest.mark.parametrize(
    ("email", "field"),
    [
        ("", "email"), ("marie", "email"), ("a@b", "email"), ("a\x00@example.com ü", "email"), (None, "email"),
        (["a@example.com"], "email"), ("a" * 250 + "@example.com", "email"),
        ("a@example.com\nBcc: b@example.com", "email"),
        ("Marie <a@example.com>", "email"),
    ],
)  # fmt: skip
def test_refuses_what_is_no_address(office: Office, email: Any, field: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        office.invite(email)
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize("role", ["", "boss", "OWNER", "staff "])
def test_refuses_an_unknown_role(office: Office, role: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        office.invite(role=role)
    assert list(caught.value.errors) == ["role"]


def test_another_merchants_invitation_is_not_found(office: Office) -> None:
    other = Office()
    theirs = other.invite()

    for verb in (invitations.resend, invitations.revoke):
        with pytest.raises(NotFound):
            verb(merchant_id=office.id, invitation_id=theirs.pk, acting_role="owner", actor_id=None, at=office.at)
    assert other.row(theirs).revoked_at is None


def race(office: Office, what: Any, runs: int = 2) -> Counter[str]:
    barrier = Barrier(runs)

    def run(number: int) -> str:
        try:
            barrier.wait()
            what(number)
        except DomainError as error:
            return error.code
        else:
            return "ok"
        finally:
            connection.close()

    with ThreadPoolExecutor(runs) as pool:
        return Counter(pool.map(run, range(runs)))


def test_two_who_accept_at_once_make_one_account(real_db: Any) -> None:
    office = Office()
    token = office.token(office.invite())

    outcomes = race(
        office,
        lambda number: invitations.accept_as_new(
            token=token, name=f"N{number}", password=PASSWORD, language="en", at=office.at
        ),
        runs=4,
    )

    assert outcomes == {"ok": 1, "invitation_gone": 3}
    assert User.objects.filter(email=ADDRESS).count() == 1


def test_two_who_invite_at_once_make_one_invitation(real_db: Any) -> None:
    office = Office()

    outcomes = race(office, lambda _number: office.invite(), runs=4)

    assert outcomes == {"ok": 4}
    with tenancy.scope(office.id):
        assert Invitation.objects.count() == 1


def test_the_token_is_nowhere_in_the_database(real_db: Any) -> None:
    office = Office()
    token = office.token(office.invite())

    with real_db.connect_as_superuser() as wire:
        tables = wire.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        hits = [
            name for (name,) in tables
            if wire.execute(f'SELECT 1 FROM "{name}" t WHERE t::text LIKE %s LIMIT 1', [f"%{token}%"]).fetchone()
        ]  # fmt: skip

    assert django_settings.LOYALTY_DATA_KEYS
    assert hits == []
