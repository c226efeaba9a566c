"""The customer's own data on pages: see, change, agree, withdraw, send the card, shut other phones (rules 2 and 23)."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from core import tenancy
from core.models import OutboxEvent
from customers import tasks
from customers.models import Consent, Customer
from customers.services import customers
from loyalty.models import Card
from tests.support.world import World

pytestmark = pytest.mark.django_db
EN = {"Accept-Language": "en"}
MARIE = "marie@example.com"


class Visitor:
    """A customer with a card in the browser."""

    def __init__(self, **typed: str) -> None:
        self.world, self.client = World.make(), Client()
        self.client.post(self.at("enroll"), {"language": "en", **typed})
        with tenancy.scope(self.world.merchant_id):
            self.card = Card.objects.latest("id")

    def at(self, name: str) -> str:
        return f"/loyalty/{self.world.store.code}/{name}"

    def confirm(self) -> "Visitor":
        customers.confirm(
            merchant_id=self.world.merchant_id, customer_id=self.card.customer_id, at=self.card.enrolled_at
        )  # fmt: skip
        return self

    def see(self, name: str = "privacy") -> str:
        return str(self.client.get(self.at(name), headers=EN).content.decode())

    def post(self, page: str = "privacy", /, **body: str) -> Any:
        return self.client.post(self.at(page), body, headers=EN)

    @property
    def customer(self) -> Customer:
        with tenancy.scope(self.world.merchant_id):
            return Customer.objects.get(pk=self.card.customer_id)

    def deliver(self) -> list[Any]:
        """Run the tasks behind what was asked for last; return the mails."""
        names = {"customers.address_typed": tasks.mail_new_address, "customers.recover_requested": tasks.mail_way_back}
        with tenancy.scope(self.world.merchant_id):
            event = OutboxEvent.objects.filter(topic__in=names).latest("id")
        names[event.topic](str(self.world.merchant_id), **event.payload)
        tasks.send_mails()
        return mail.outbox


def profile(**changed: str) -> dict[str, str]:
    empty = {"name": "", "email": "", "phone": "", "birth_day": "", "birth_month": "", "birth_year": ""}
    return {**empty, "language": "en", **changed}


def test_it_works() -> None:
    visitor = Visitor(name="Marie", email=MARIE)

    form = visitor.see("profile")
    saved = visitor.post(
        "profile", **profile(name="Maria", email=MARIE, phone="621 123 456", birth_day="29", birth_month="2")
    )

    assert 'value="Marie"' in form
    assert (saved.status_code, saved["Location"]) == (303, f"{visitor.at('privacy')}?done=saved")
    html = str(visitor.client.get(saved["Location"], headers=EN).content.decode())
    for shown in ("Saved.", "Maria", "+352621123456", "29 February"):
        assert shown in html
    assert (visitor.customer.name, visitor.customer.birth_year) == ("Maria", None)


def test_saving_without_a_change_changes_nothing() -> None:
    visitor = Visitor(name="Marie", email=MARIE).confirm()
    visitor.post("profile", **profile(name="Marie", email="new@example.com"))

    visitor.post("profile", **profile(name="Maria", email="new@example.com"))

    assert (visitor.customer.email, visitor.customer.pending_email) == (MARIE, "new@example.com")
    assert visitor.customer.confirmed_at is not None


def test_a_new_address_is_shown_as_waiting_and_its_mail_confirms_it() -> None:
    visitor = Visitor(email=MARIE).confirm()

    saved = visitor.post("profile", **profile(email="new@example.com"))
    html = visitor.see()
    (sent,) = visitor.deliver()

    assert saved["Location"].endswith("?done=confirm")
    assert MARIE in html
    assert "new@example.com" in html
    assert (sent.to, sent.subject) == (["new@example.com"], "Your CoffeeLux card: confirm your address")
    assert "you gave this address" in sent.body


@pytest.mark.parametrize(
    "body",
    [
        {"email": "nonsense"}, {"phone": "12"}, {"name": "x" * 90}, {"birth_day": "31", "birth_month": "2"},
        {"birth_day": "5"}, {"birth_month": "5"}, {"birth_year": "1956"}, {"language": "tlh"}, {"birth_day": "99"},
        {"birth_day": "1", "birth_month": "1", "birth_year": "2999"}, {"name": "a\x00b"},
        {"birth_day": "1", "birth_month": "1", "birth_year": "abcd"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_beside_its_field(body: dict[str, str]) -> None:
    visitor = Visitor(name="Marie")

    answer = visitor.post("profile", **profile(name="Other", **body) if "name" not in body else profile(**body))

    assert answer.status_code == 400
    assert b"aria-describedby" in answer.content
    assert visitor.customer.name == "Marie"


def test_rule_23_a_consent_is_switched_by_its_own_button() -> None:
    visitor = Visitor(email=MARIE).confirm()
    before = visitor.see()
    switch = {"action": "consent", "purpose": "service", "channel": "email"}

    on = visitor.post(**switch, granted="yes")
    html = visitor.see()
    off = visitor.post(**switch, granted="no")

    assert (on["Location"][-7:], off["Location"][-8:]) == ("done=on", "done=off")
    assert before.count(">Switch on<") == 2
    assert "Switch off" not in before
    assert html.count(">Switch off<") == 1
    assert 'type="checkbox"' not in before
    with tenancy.scope(visitor.world.merchant_id):
        rows = list(Consent.objects.order_by("id").values_list("granted", "source", "language"))
    assert rows == [(True, "profile", "en"), (False, "profile", "en")]


def test_sms_is_offered_where_there_is_a_number() -> None:
    assert "by SMS" not in Visitor(email=MARIE).see()
    assert "Send me offers by SMS" in Visitor(phone="621 123 456").see()


def test_a_consent_without_an_address_says_what_is_missing() -> None:
    visitor = Visitor()

    answer = visitor.post(action="consent", purpose="service", channel="email", granted="yes")

    assert answer.status_code == 400
    assert b"Add your e-mail address first." in answer.content
    with tenancy.scope(visitor.world.merchant_id):
        assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"action": "erase_everything"}, {"action": "consent"}, {"action": "consent", "purpose": "x", "channel": "y"},
     {"action": "consent", "purpose": "service", "channel": "wallet", "granted": "yes"}],
)  # fmt: skip
def test_a_button_that_there_is_not_does_nothing(body: dict[str, str]) -> None:
    visitor = Visitor(email=MARIE)

    assert visitor.post(**body).status_code == 404


def test_the_card_is_mailed_to_a_proven_address() -> None:
    visitor = Visitor(email=MARIE).confirm()

    asked = visitor.post(action="mail")
    (sent,) = visitor.deliver()

    assert asked["Location"].endswith("?done=mailed")
    assert (sent.to, sent.subject) == ([MARIE], "Your card at CoffeeLux")
    assert "as you asked" in sent.body


def test_an_unproven_address_is_asked_once_more() -> None:
    visitor = Visitor(email=MARIE)

    shown, _asked = visitor.see(), visitor.post(action="mail")
    (sent,) = visitor.deliver()

    assert "Send the confirmation again" in shown
    assert sent.subject == "Your CoffeeLux card: confirm your address"


def test_without_an_address_there_is_nowhere_to_send_it() -> None:
    visitor = Visitor()

    assert 'value="mail"' not in visitor.see()
    assert b"Add your e-mail address first." in visitor.post(action="mail").content


def test_the_card_opens_only_here_afterwards() -> None:
    visitor, lost = Visitor(), Client()
    lost.cookies = visitor.client.cookies.copy()  # type: ignore[assignment]

    visitor.post(action="lock_out")

    assert visitor.client.get(visitor.at("dashboard")).status_code == 200
    assert lost.get(visitor.at("dashboard"))["Location"] == visitor.at("enroll")


def test_mails_by_button_are_counted() -> None:
    visitor = Visitor(email=MARIE)
    answers = [visitor.post(action="mail").status_code for _ in range(31)]

    assert (answers[0], answers[-1]) == (303, 429)


def test_needs_the_card_and_the_forms_own_token() -> None:
    visitor = Visitor(name="Marie")
    strict = Client(enforce_csrf_checks=True)

    assert Client().post(visitor.at("profile"), profile(name="Other"))["Location"] == visitor.at("enroll")
    strict.cookies = visitor.client.cookies.copy()  # type: ignore[assignment]
    assert strict.post(visitor.at("profile"), profile(name="Other")).status_code == 403
    assert strict.post(visitor.at("privacy"), {"action": "lock_out"}).status_code == 403
    assert visitor.customer.name == "Marie"
