"""The second factor: set up by a person, kept encrypted, asked for at sign-in, enough for the platform's admin."""

import time
from datetime import UTC, datetime

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from merchants.models import User
from tests.factories.merchants import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sign_in(client: Client, user: User) -> str:
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return str(answer["Location"])


@pytest.fixture
def boss() -> User:
    user = UserFactory(is_staff=True, is_superuser=True)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def set_up(client: Client) -> str:
    """Set the second factor up through the pages, which ask for the password again; return its secret."""
    asked = client.get("/accounts/2fa/totp/activate/")["Location"]
    client.post(asked, {"password": PASSWORD})
    client.get("/accounts/2fa/totp/activate/")
    secret = str(client.session["mfa.totp.secret"])
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert answer.status_code == 302
    return secret


def test_it_works_from_set_up_to_the_admin(client: Client, boss: User) -> None:
    assert sign_in(client, boss) == "/store/"
    assert client.get("/admin/")["Location"] == "/accounts/2fa/totp/activate/"

    secret = set_up(client)
    assert client.get("/admin/").status_code == 200

    other = Client()
    assert sign_in(other, boss) == "/accounts/2fa/authenticate/"
    assert other.get("/admin/").status_code == 302
    cache.clear()  # the code just used is remembered for its half minute
    other.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert other.get("/admin/").status_code == 200


def test_a_wrong_code_does_not_get_in(client: Client, boss: User) -> None:
    sign_in(client, boss)
    set_up(client)
    other = Client()
    sign_in(other, boss)

    other.post("/accounts/2fa/authenticate/", {"code": "000000"})

    assert other.get("/admin/").status_code == 302


def test_the_secret_is_kept_encrypted_and_no_admin_page_shows_it(client: Client, boss: User) -> None:
    sign_in(client, boss)
    secret = set_up(client)

    row = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    page = client.get(f"/admin/mfa/authenticator/{row.pk}/change/").content.decode()

    assert secret not in str(row.data)
    assert row.data["secret"] not in page
    assert boss.email in page


@pytest.mark.parametrize(("half_minutes", "is_let_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(half_minutes: int, is_let_in: bool, client: Client, boss: User) -> None:
    with time_machine.travel(datetime(2026, 5, 20, 12, 0, 15, tzinfo=UTC), tick=False):
        sign_in(client, boss)
        secret = set_up(client)
        cache.clear()  # the code just used is remembered for its half minute
        other = Client()
        sign_in(other, boss)
        shown = format_hotp_value(hotp_value(secret, int(time.time()) // 30 + half_minutes))

        other.post("/accounts/2fa/authenticate/", {"code": shown})

        assert (other.get("/admin/").status_code == 200) is is_let_in
