"""Signing in with Google, against a local server that stands for Google's: real sockets, and whom it lets in."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.core import mail
from django.test import Client

from merchants.models import User
from tests.factories.merchants import UserFactory

CLIENT_ID, SECRET = "client-of-the-tests", "secret-of-the-tests"
LOGIN = "/accounts/google/login/"
ADDRESS = "marie@example.com"


class FakeGoogle:
    """The token address of Google; `claims` is what the next identity token says."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.with_id_token = True
        self.asked: list[dict[str, str]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fake.asked.append({name: values[0] for name, values in parse_qs(body).items()})
                self._answer(fake.token())

            def do_GET(self) -> None:
                self._answer({**fake.claims, "id": fake.claims["sub"]})

            def _answer(self, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def token(self) -> dict[str, Any]:
        found: dict[str, Any] = {"access_token": "token", "token_type": "Bearer", "expires_in": 3600}
        if self.with_id_token:
            found["id_token"] = jwt.encode(self.claims, "k" * 32, algorithm="HS256")
        return found

    def says(self, email: str = ADDRESS, *, verified: bool = True, sub: str = "1001", **more: Any) -> None:
        self.claims = {
            "iss": "https://accounts.google.com", "aud": CLIENT_ID, "sub": sub, "email": email,
            "email_verified": verified, "name": "Marie  Klein", "exp": 4_000_000_000, "iat": 1_700_000_000, **more,
        }  # fmt: skip


@pytest.fixture
def google(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    fake = FakeGoogle()
    settings.SOCIALACCOUNT_PROVIDERS = {
        "google": {
            "APPS": [{"client_id": CLIENT_ID, "secret": SECRET, "key": ""}],
            "SCOPE": ["profile", "email"], "OAUTH_PKCE_ENABLED": True, "AUTH_PARAMS": {"prompt": "select_account"},
        }
    }  # fmt: skip
    # allauth reads the addresses from the settings when it is imported; the class is where they are kept.
    monkeypatch.setattr(GoogleOAuth2Adapter, "access_token_url", f"{fake.url}/token")
    monkeypatch.setattr(GoogleOAuth2Adapter, "identity_url", f"{fake.url}/userinfo")
    fake.says()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


def browser(user: User | None = None) -> Client:
    made = Client(headers={"Accept-Language": "en"})
    if user is not None:
        made.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return made


def person(email: str = ADDRESS, *, verified: bool = True, **more: Any) -> User:
    user: User = UserFactory(email=email, **more)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    return user


def come_back(who: Client, address: str = LOGIN) -> Any:
    """Go to Google and come back with a code."""
    away = who.post(address)
    assert away.status_code == 302, away.content
    asked = parse_qs(urlsplit(away["Location"]).query)
    return who.get(f"{LOGIN}callback/", {"code": "a-code", "state": asked["state"][0]})


def signed_in(who: Client) -> str | None:
    return who.session.get("_auth_user_id")


def test_it_works_for_a_new_person(google: FakeGoogle) -> None:
    new = browser()
    away = new.post(LOGIN)
    where = urlsplit(away["Location"])
    asked = parse_qs(where.query)

    answer = new.get(f"{LOGIN}callback/", {"code": "a-code", "state": asked["state"][0]})

    assert where.hostname == "accounts.google.com"
    assert (asked["client_id"], asked["prompt"]) == ([CLIENT_ID], ["select_account"])
    assert asked["code_challenge_method"] == ["S256"]
    assert (answer.status_code, answer["Location"]) == (302, "/store/")
    user = User.objects.get(email=ADDRESS)
    assert (user.name, user.has_usable_password(), signed_in(new)) == ("Marie Klein", False, str(user.pk))
    assert EmailAddress.objects.get(user=user).verified
    assert google.asked[0]["code"] == "a-code"
    assert google.asked[0]["code_verifier"]


def test_an_account_of_the_same_proven_address_is_the_persons_own(google: FakeGoogle) -> None:
    user, mine = person(ADDRESS), browser()
    google.says("Marie@Example.com")

    answer = come_back(mine, f"{LOGIN}?next=/store/merchant/team")

    assert (answer["Location"], signed_in(mine)) == ("/store/merchant/team", str(user.pk))
    assert User.objects.count() == 1
    assert SocialAccount.objects.get(user=user).uid == "1001"
    assert [message.to for message in mail.outbox] == [[ADDRESS]]
    user.refresh_from_db()
    assert user.check_password("demo-loyalty-2026")
    google.says("new-address@example.com")
    again = browser()
    come_back(again)
    assert signed_in(again) == str(user.pk)


def test_an_address_that_google_has_not_verified_is_refused(google: FakeGoogle) -> None:
    person(ADDRESS)
    google.says(verified=False)

    for address in (ADDRESS, "nobody@example.com"):
        google.says(address, verified=False)
        mine = browser()
        answer = come_back(mine)
        assert answer.status_code == 403
        assert "has not confirmed" in answer.content.decode()
        assert signed_in(mine) is None
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_an_account_whose_address_nobody_proved_here_is_not_entered(google: FakeGoogle) -> None:
    """Somebody may have signed up with another's address and wait for its owner to come by Google."""
    squatter, mine = person(ADDRESS, verified=False), browser()

    answer = come_back(mine)

    assert answer.status_code == 403
    assert "/accounts/password/reset/" in answer.content.decode()
    assert signed_in(mine) is None
    assert not SocialAccount.objects.exists()
    squatter.refresh_from_db()
    assert squatter.check_password("demo-loyalty-2026")


def test_a_person_connects_no_foreign_google_account(google: FakeGoogle) -> None:
    mine, other = person("me@example.com"), person(ADDRESS)

    answer = come_back(browser(mine), f"{LOGIN}?process=connect")

    assert answer.status_code == 403
    assert not SocialAccount.objects.exists()
    come_back(browser(other), f"{LOGIN}?process=connect")
    assert SocialAccount.objects.get().user == other


def test_a_second_factor_is_asked_for_all_the_same(google: FakeGoogle) -> None:
    user, mine = person(ADDRESS, is_staff=True, is_superuser=True), browser()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")

    answer = come_back(mine)

    assert Authenticator.objects.filter(user=user).exists()
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert signed_in(mine) is None
    assert mine.get("/admin/")["Location"].startswith("/admin/login/")


def test_platform_staff_without_a_second_factor_set_one_up_first(google: FakeGoogle) -> None:
    person(ADDRESS, is_staff=True, is_superuser=True)
    mine = browser()

    come_back(mine)

    assert mine.get("/admin/")["Location"] == "/accounts/2fa/totp/activate/"


def test_an_account_that_was_closed_stays_closed(google: FakeGoogle) -> None:
    person(ADDRESS, is_active=False)
    mine = browser()

    answer = come_back(mine)

    assert answer["Location"] == "/accounts/inactive/"
    assert signed_in(mine) is None


@pytest.mark.parametrize(
    "claims",
    [{"aud": "somebody-else"}, {"iss": "https://evil.example"}, {"exp": 1_700_000_000}],
)  # fmt: skip
def test_a_token_for_somebody_else_is_refused(google: FakeGoogle, claims: dict[str, Any]) -> None:
    google.says(**claims)
    mine = browser()

    assert "/store" not in come_back(mine).get("Location", "")
    assert signed_in(mine) is None
    assert not User.objects.exists()


def test_a_foreign_state_and_a_cancelled_sign_in_change_nothing(google: FakeGoogle) -> None:
    mine = browser()

    for query in ({"code": "x", "state": "made-up"}, {"code": "x"}, {"error": "access_denied", "state": "x"}, {}):
        answer = mine.get(f"{LOGIN}callback/", query)
        assert answer.status_code < 500
        assert signed_in(mine) is None
    assert google.asked == []


def test_google_away_is_answered_kindly(google: FakeGoogle) -> None:
    google.server.shutdown()
    google.server.server_close()
    mine = browser()

    answer = come_back(mine)

    assert answer.status_code in (200, 401, 403)
    assert signed_in(mine) is None


def test_userinfo_counts_where_there_is_no_identity_token(google: FakeGoogle) -> None:
    google.with_id_token = False
    google.says(verified_email=True)
    mine = browser()

    come_back(mine)

    assert signed_in(mine) == str(User.objects.get(email=ADDRESS).pk)


@pytest.mark.parametrize("path", ["/accounts/login/", "/signup/"])
def test_the_button_is_there_with_the_policy_that_lets_it_lead_away(google: FakeGoogle, path: str) -> None:
    answer = browser().get(path)

    assert "Continue with Google" in answer.content.decode()
    assert "form-action 'self' https://accounts.google.com" in answer["Content-Security-Policy"]
    assert "form-action 'self' https" not in browser().get("/")["Content-Security-Policy"]


def test_where_it_is_not_configured_there_is_no_button_and_no_way_in(db: None) -> None:
    for path in ("/accounts/login/", "/signup/"):
        answer = browser().get(path)
        assert "Google" not in answer.content.decode()
        assert "google" not in answer["Content-Security-Policy"]
    for path in (LOGIN, f"{LOGIN}callback/", f"{LOGIN}token/"):
        assert browser().get(path).status_code == 404
        assert browser().post(path).status_code == 404


def test_the_one_tap_way_stays_shut(google: FakeGoogle) -> None:
    assert browser().post(f"{LOGIN}token/", {"credential": "x", "g_csrf_token": "x"}).status_code == 404
