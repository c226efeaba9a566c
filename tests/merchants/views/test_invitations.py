"""The link of an invitation in a browser: for a new person, for one who has an account, and for the wrong one."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from merchants.enums import MerchantStatus, Role
from merchants.models import Invitation, Membership, Merchant, User
from merchants.services import invitations
from tests.factories.merchants import MembershipFactory, MerchantFactory, UserFactory
from tests.factories.stores import StoreFactory

ADDRESS, PASSWORD = "lea.new@example.com", "three-odd-words-42"


class Link:
    """An invitation to a merchant's team, and its address."""

    def __init__(self, role: str = Role.STAFF) -> None:
        self.merchant = MerchantFactory(name="Café Um Eck", onboarding_step=5)
        StoreFactory(merchant=self.merchant)
        self.owner = MembershipFactory(merchant=self.merchant)
        self.row = invitations.invite(
            merchant_id=self.merchant.pk, email=ADDRESS, role=role, acting_role=Role.OWNER,
            actor_id=self.owner.user_id, at=timezone.now(),
        )  # fmt: skip

    @property
    def path(self) -> str:
        with tenancy.scope(self.merchant.pk):
            return f"/invitations/{invitations.token_of(Invitation.objects.get(pk=self.row.pk))}"

    def members(self) -> dict[str, str]:
        with tenancy.scope(self.merchant.pk):
            return dict(Membership.objects.filter(is_active=True).values_list("user__email", "role"))

    def set(self, **changes: Any) -> None:
        with tenancy.scope(self.merchant.pk):
            Invitation.objects.update(**changes)


def browser(user: User | None = None) -> Client:
    made = Client(headers={"Accept-Language": "en"})
    if user is not None:
        made.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return made


def person(email: str = ADDRESS) -> User:
    user: User = UserFactory(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


@pytest.fixture
def link(db: None) -> Link:
    return Link()


def test_a_new_person_sets_a_password_and_is_in(link: Link) -> None:
    new = browser()
    page = new.get(link.path)
    assert page.status_code == 200
    assert ADDRESS in page.content.decode()
    assert "Café Um Eck" in page.content.decode()

    answer = new.post(link.path, {"name": "Léa Klein", "password": PASSWORD}, follow=True)

    assert answer.redirect_chain[0] == ("/store/", 302)
    assert answer.status_code == 200
    assert "Welcome to the team of Café Um Eck" in answer.content.decode()
    assert link.members()[ADDRESS] == Role.STAFF
    assert browser().post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD})["Location"] == "/store/"
    assert browser().get(link.path).status_code == 410


def test_looking_changes_nothing(link: Link) -> None:
    for who in (None, person(), person("other@example.com")):
        browser(who).get(link.path)
        browser(who).head(link.path)

    assert ADDRESS not in link.members()


def test_an_account_that_is_signed_in_joins_with_a_click(link: Link) -> None:
    mine = browser(person())
    assert "Join the team" in mine.get(link.path).content.decode()

    answer = mine.post(link.path)

    assert (answer.status_code, answer["Location"]) == (302, "/store/")
    assert mine.session["merchant"] == str(link.merchant.pk)
    assert link.members()[ADDRESS] == Role.STAFF


def test_an_account_that_is_signed_out_signs_in_and_comes_back(link: Link) -> None:
    user, mine = person(), browser()
    page = mine.get(link.path).content.decode()
    assert f"/accounts/login/?next={link.path}" in page
    assert 'name="password"' not in page

    refused = mine.post(link.path, {"name": "Thief", "password": PASSWORD})
    signed_in = mine.post(f"/accounts/login/?next={link.path}", {"login": ADDRESS, "password": "demo-loyalty-2026"})

    assert refused.status_code == 409
    assert signed_in["Location"] == link.path
    user.refresh_from_db()
    assert not user.check_password(PASSWORD)
    assert mine.post(link.path).status_code == 302
    assert ADDRESS in link.members()


def test_the_wrong_account_is_told_so_and_can_sign_out(link: Link) -> None:
    wrong = browser(person("somebody@example.com"))

    page, answer = wrong.get(link.path), wrong.post(link.path)

    assert (page.status_code, answer.status_code) == (200, 403)
    assert "somebody@example.com" in page.content.decode()
    assert ADDRESS not in page.content.decode()
    assert "somebody@example.com" not in link.members()
    assert wrong.post("/accounts/logout/", {"next": link.path})["Location"] == link.path
    assert 'name="password"' in wrong.get(link.path).content.decode()


def test_who_is_in_the_team_already_is_told_so(link: Link) -> None:
    user = person()
    MembershipFactory(merchant=link.merchant, user=user, role=Role.MANAGER)
    mine = browser(user)

    assert "in this team already" in mine.get(link.path).content.decode()
    answer = mine.post(link.path, follow=True)

    assert "already" in answer.content.decode()
    assert link.members()[ADDRESS] == Role.MANAGER


@pytest.mark.parametrize("how", ["revoked", "expired", "used", "closed", "never"])
def test_a_link_that_no_longer_works_has_a_kind_page(link: Link, how: str) -> None:
    path, now = link.path, timezone.now()
    if how == "revoked":
        link.set(revoked_at=now)
    elif how == "expired":
        link.set(expires_at=now - timedelta(seconds=1))
        with tenancy.scope(link.merchant.pk):
            Invitation.objects.update(token_hash=invitations.invitation_queries.hash_of(path.rpartition("/")[2]))
    elif how == "used":
        link.set(accepted_at=now)
    elif how == "closed":
        with tenancy.scope(link.merchant.pk):
            Merchant.objects.update(status=MerchantStatus.CLOSED)
    else:
        path = "/invitations/" + "x" * 43

    for who in (None, person()):
        for answer in (browser(who).get(path), browser(who).post(path, {"name": "A", "password": PASSWORD})):
            assert answer.status_code == 410
            text = answer.content.decode()
            assert "no longer works" in text
            assert "Café" not in text
    assert ADDRESS not in link.members()


@pytest.mark.parametrize("token", ["%00", "x" * 5000, "ä", "../admin", "' OR 1=1"])
def test_any_token_is_answered(db: None, token: str) -> None:
    assert browser().get(f"/invitations/{token}").status_code in (404, 410)


@pytest.mark.parametrize(
    ("name", "password", "wrong"),
    [
        ("Léa", "", "password"), ("Léa", "short", "password"), ("Léa", "1234567890", "password"),
        ("Léa", ADDRESS, "password"), ("", PASSWORD, "name"), ("x" * 121, PASSWORD, "name"),
        ("Le\x00a", PASSWORD, "name"), ("Léa", "x" * 129, "password"),
    ],
)  # fmt: skip
def test_bad_input_stands_at_its_field(link: Link, name: str, password: str, wrong: str) -> None:
    answer = browser().post(link.path, {"name": name, "password": password})

    assert answer.status_code == 400
    assert f'id="id_{wrong}_error"' in answer.content.decode()
    assert not User.objects.filter(email=ADDRESS).exists()


def test_somebody_who_tries_all_day_waits(link: Link) -> None:
    guess = browser()
    for _ in range(30):
        guess.post(link.path, {"name": "x", "password": "short"})

    assert guess.post(link.path, {"name": "Léa", "password": PASSWORD}).status_code == 429
    assert ADDRESS not in link.members()


def test_the_page_speaks_the_merchants_language_where_nobody_chose_one(link: Link) -> None:
    with tenancy.scope(link.merchant.pk):
        Merchant.objects.update(default_language="de")

    assert '<html lang="de"' in Client().get(link.path).content.decode()


def test_nothing_of_it_stays_in_a_cache_or_a_referrer(link: Link) -> None:
    answer = browser().get(link.path)

    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert str(uuid7()) not in answer.content.decode()
