"""The team page: who signs in, who was invited, and what each role may do."""

from typing import Any

import pytest

from core import tenancy
from core.models import OutboxEvent
from merchants.enums import MerchantStatus, Role
from merchants.models import Invitation, Merchant
from tests.dashboard.conftest import Shop

TEAM = "/store/merchant/team"


def invitation(shop: Shop) -> Invitation:
    with tenancy.scope(shop.merchant_id):
        return Invitation.objects.latest("created_at")


def invite(shop: Shop, email: str = "lea@example.com", role: str = "manager", by: str = Role.OWNER) -> Any:
    return shop.client(by).post(f"{TEAM}/invite", {"email": email, "role": role}, follow=True)


def test_it_works(shop: Shop) -> None:
    answer = invite(shop)

    text = answer.content.decode()
    assert answer.redirect_chain == [(TEAM, 302)]
    assert "An invitation is on its way to lea@example.com" in text
    assert "Invited, no answer yet" in text
    made = invitation(shop)
    with tenancy.scope(shop.merchant_id):
        assert OutboxEvent.objects.filter(topic="merchants.invited", payload={"invitation_id": str(made.pk)}).exists()

    again = shop.client().post(f"{TEAM}/invitations/{made.pk}/resend", follow=True)
    assert "Sent again" in again.content.decode()
    assert invitation(shop).token_hash != made.token_hash

    owner = shop.client()
    assert "lea@example.com" in owner.get(f"{TEAM}/invitations/{made.pk}/revoke").content.decode()
    gone = owner.post(f"{TEAM}/invitations/{made.pk}/revoke", follow=True).content.decode()
    assert "taken back" in gone
    assert "lea@example.com" not in gone
    assert owner.post(f"{TEAM}/invitations/{made.pk}/revoke").status_code == 404


def test_a_manager_sees_owners_invitations_and_cannot_touch_them(shop: Shop) -> None:
    invite(shop, role="owner")
    made, manager = invitation(shop), shop.client(Role.MANAGER)

    page = manager.get(TEAM).content.decode()
    assert "lea@example.com" in page
    assert str(made.pk) not in page
    for verb in ("resend", "revoke"):
        manager.post(f"{TEAM}/invitations/{made.pk}/{verb}")
    assert (invitation(shop).token_hash, invitation(shop).revoked_at) == (made.token_hash, None)
    assert 'value="owner"' not in manager.get(f"{TEAM}/invite").content.decode()
    assert invite(shop, "x@example.com", "owner", Role.MANAGER).status_code == 400


@pytest.mark.parametrize("email", ["", "marie", "a\x00@example.com", "x" * 300 + "@example.com"])
def test_bad_addresses_stand_at_the_field(shop: Shop, email: str) -> None:
    answer = invite(shop, email)

    assert answer.status_code == 400
    assert 'id="id_email_error"' in answer.content.decode()


def test_who_is_in_the_team_is_not_invited_again(shop: Shop) -> None:
    answer = invite(shop, shop.people[Role.MANAGER].email)

    assert answer.status_code == 409
    assert "in your team already" in answer.content.decode()


def test_a_suspended_merchant_is_told_why_nothing_is_sent(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        Merchant.objects.update(status=MerchantStatus.SUSPENDED)

    assert "No mails are sent" in invite(shop).content.decode()


def test_an_owner_alone_is_shown_how_to_invite(shop: Shop) -> None:
    from merchants.models import Membership

    with tenancy.scope(shop.merchant_id):
        Membership.objects.exclude(role=Role.OWNER).update(is_active=False)
        Invitation.objects.all().delete()

    assert "You are alone here" in shop.client().get(TEAM).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_costs_the_same_for_one_and_for_three(shop: Shop, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        invite(shop, f"person{number}@example.com")
    owner = shop.client()
    owner.get(TEAM)

    with django_assert_num_queries(11):
        owner.get(TEAM)
