"""Accounts: sign-up and confirmation, sign-in, reset, second factor; nobody learns which addresses are known."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core import context
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core import mail
from django.http import HttpResponse
from django.test import Client, RequestFactory

from loyalty_platform.settings import base
from merchants.models import User
from merchants.views import accounts
from stores.services import signup
from tests.factories.merchants import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LINK = re.compile(r"https?://\S+(/accounts/\S+)")


def confirmed(**values: Any) -> User:
    user = UserFactory(**values)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def after_sign_up(client: Client, email: str) -> HttpResponse:
    """Do what the sign-up page does with its five fields, in this client's session."""
    made = signup.sign_up(
        email=email, password=PASSWORD, business_name="Café Lune", trade="cafe", country="LU", language="fr", at=NOON
    )
    request = RequestFactory().post("/signup/")
    request.session = client.session
    request.user = AnonymousUser()
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    with context.request_context(request):
        response = accounts.after_sign_up(request, email=email, user=made.user)
    request.session.save()
    client.cookies["sessionid"] = request.session.session_key
    return response


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def words(response: Any) -> str:
    """Return a page without what differs at every load."""
    return re.sub(r'value="[^"]*"', "", response.content.decode())


def test_it_works_from_sign_up_over_the_mail_to_the_onboarding(client: Client) -> None:
    response = after_sign_up(client, "owner@cafe.example")
    assert response["Location"] == "/accounts/confirm-email/"
    assert client.get("/store/").wsgi_request.user.is_anonymous

    link = LINK.search(str(mail.outbox[0].body))
    assert link is not None
    assert mail.outbox[0].to == ["owner@cafe.example"]
    client.get(link[1])
    confirmed_now = client.post(link[1])

    assert confirmed_now["Location"] == "/store/onboarding/1"
    assert client.get("/store/").wsgi_request.user.email == "owner@cafe.example"


def test_a_known_address_gets_the_same_answer_and_another_mail(client: Client) -> None:
    confirmed(email="owner@cafe.example")
    other = Client()

    known = after_sign_up(client, "owner@cafe.example")
    unknown = after_sign_up(other, "new@cafe.example")

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert words(client.get(known["Location"])) == words(other.get(unknown["Location"]))
    assert [message.to for message in mail.outbox] == [["owner@cafe.example"], ["new@cafe.example"]]
    assert "/accounts/password/reset/" in mail.outbox[0].body
    assert "/accounts/confirm-email/" in mail.outbox[1].body


def test_signs_in_by_address_whatever_its_case(client: Client) -> None:
    confirmed(email="owner@cafe.example")

    assert sign_in(client, "Owner@CAFE.example")["Location"] == "/store/"


def test_a_wrong_password_and_an_unknown_address_look_alike(client: Client) -> None:
    confirmed(email="owner@cafe.example")

    wrong, unknown = sign_in(client, "owner@cafe.example", "wrong"), sign_in(client, "nobody@cafe.example", "wrong")

    assert (wrong.status_code, unknown.status_code) == (200, 200)
    assert words(wrong) == words(unknown)


def test_an_unconfirmed_address_does_not_get_in(client: Client) -> None:
    UserFactory(email="owner@cafe.example")

    assert sign_in(client, "owner@cafe.example")["Location"] == "/accounts/confirm-email/"
    assert len(mail.outbox) == 1


def test_too_many_wrong_passwords_are_refused_for_a_while(client: Client) -> None:
    confirmed(email="owner@cafe.example")
    for _ in range(6):
        sign_in(client, "owner@cafe.example", "wrong")

    assert sign_in(client, "owner@cafe.example").status_code != 302


def test_a_reset_looks_the_same_for_an_unknown_address(client: Client) -> None:
    confirmed(email="owner@cafe.example")

    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in ("owner@cafe.example", "no@cafe.example")
    ]

    assert {answer["Location"] for answer in answers} == {"/accounts/password/reset/done/"}


def test_a_reset_link_sets_a_new_password_once(client: Client) -> None:
    confirmed(email="owner@cafe.example")
    client.post("/accounts/password/reset/", {"email": "owner@cafe.example"})
    link = LINK.search(str(mail.outbox[0].body))
    assert link is not None

    form = client.get(link[1])["Location"]
    new = "three-quiet-words-2026"
    client.post(form, {"password1": new, "password2": new})

    assert sign_in(Client(), "owner@cafe.example", new).status_code == 302
    assert "/accounts/" not in Client().get(link[1]).headers.get("Location", "")


def test_keeps_the_language_that_was_chosen_and_writes_in_it(client: Client) -> None:
    user = confirmed(email="owner@cafe.example")
    client.cookies["django_language"] = "de"

    sign_in(client, "owner@cafe.example")

    user.refresh_from_db()
    assert user.language == "de"


def test_allauths_own_sign_up_page_leads_to_ours(client: Client) -> None:
    assert client.get("/accounts/signup/?next=/x").headers["Location"] == "/signup/?next=/x"


def test_passwords_are_argon2(settings: Any) -> None:
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS

    assert UserFactory().password.startswith("argon2$argon2id$")
