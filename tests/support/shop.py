"""A shop as its people use it: everything over HTTP, with a clock that stands still until it is moved."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.models import OutboxEvent
from customers import tasks
from loyalty import card_cookie
from loyalty.models import Card
from loyalty.queries import verification
from loyalty.services import expiry
from loyalty.tasks import expire_at_merchant, warn_at_merchant
from loyalty_platform.celery import app
from loyalty_platform.events import ROUTES
from merchants.models import User
from merchants.services import platform
from tests.support.api import Caller
from tests.support.world import NOON, World

STOREFRONT = "/api/v1/storefront/loyalty/"
MERCHANT = "/api/v1/merchant"
LINK = re.compile(r"(/loyalty/\S+/link/\S+)")
EN = {"Accept-Language": "en"}


def done(answer: Any, status: int = 201) -> dict[str, Any]:
    """Return the body of an answer that said yes."""
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    return body


def link_in(letter: Any) -> str:
    """Return the path of the link in a mail."""
    found = LINK.search(str(letter.body))
    assert found is not None, letter.body
    return found[1]


def click(letter: Any, **answers: str) -> Client:
    """Open the link of a mail in a new browser, press its button, and return the browser."""
    browser, path = Client(headers=EN), link_in(letter)
    assert browser.get(path).status_code == 200
    pressed = browser.post(path, answers)
    assert pressed.status_code == 303, pressed.content
    return browser


@dataclass
class Phone:
    """A customer's phone: it keeps a card's secret."""

    card: dict[str, Any]
    secret: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the storefront's API with the card's secret."""
        sent = {**EN, "Authorization": f"Card {self.secret}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "get":
            return Client().get(STOREFRONT + path, headers=sent)
        return getattr(Client(), method)(STOREFRONT + path, body or {}, content_type="application/json", headers=sent)

    def browser(self) -> Client:
        """Return the browser of this phone, which keeps the card in a cookie."""
        response, browser = HttpResponse(), Client(headers=EN)
        card_cookie.write(HttpRequest(), response, UUID(self.card["program"]["id"]), self.secret)
        browser.cookies.update(response.cookies)
        browser.cookies["django_language"] = "en"
        return browser

    def page(self, path: str) -> str:
        """Return a page as this phone shows it."""
        answer = self.browser().get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return str(answer.content.decode())

    def shows(self) -> dict[str, Any]:
        """Return the card as the customer sees it now."""
        return done(self.ask("get", "card"), 200)

    def history(self) -> list[dict[str, Any]]:
        """Return the card's history as the customer sees it, the oldest first."""
        return list(reversed(done(self.ask("get", "transactions"), 200)["results"]))


@dataclass
class Shop:
    """A merchant with a running program, a till (an API key), customers' phones and a clock."""

    world: World
    clock: Any
    heard: int = 0
    _manager: Caller | None = field(default=None, repr=False)

    @classmethod
    def open(cls, clock: Any, *, at: datetime = NOON, **rules: Any) -> Self:
        """Open it at an instant; `rules` are fields of the program."""
        clock.move_to(at)
        return cls(World.make(at=at, **rules), clock)

    # The clock

    def move_to(self, at: datetime) -> None:
        """Make it `at`."""
        self.world.at = at
        self.clock.move_to(at)

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.move_to(self.world.at + timedelta(**by))

    # Who is there

    @property
    def code(self) -> str:
        """The code of the first store."""
        return self.world.store.code

    @property
    def pos(self) -> Caller:
        """The till of the first store, with every scope."""
        return Caller({"Authorization": f"Bearer {self.world.key_text}", "X-Store-Code": self.code, **EN})

    @property
    def manager(self) -> Caller:
        """A manager at a browser, signed in now."""
        if self._manager is None:
            self._manager = Caller.person(self.world, "manager")
        client = self._manager.client
        user = User.objects.get(email=f"manager@{self.code}.example")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return Caller({**self._manager.headers, **EN}, client)

    def till(self, *scopes: str) -> Caller:
        """A till with a key of its own that may do only this."""
        made = Caller.with_scopes(self.world, scopes)
        return Caller({**made.headers, "X-Store-Code": self.code, **EN})

    def opens_store(self, name: str = "Kirchberg", **fields: Any) -> str:
        """Open another store over the merchant API; return its code."""
        made = done(self.pos.post(f"{MERCHANT}/stores", {"name": name, "code": f"{self.code}-2", **fields}))
        return str(made["code"])

    def allows(self, **settings: Any) -> None:
        """Change the settings that the platform keeps for the merchant."""
        platform.change_settings(
            merchant_id=self.world.merchant_id, changes=settings, at=self.world.at, actor_id=self.world.owner.pk,
            reason="agreed",
        )  # fmt: skip

    def stands(self, status: str) -> None:
        """Let the platform set the merchant's standing."""
        platform.set_standing(
            merchant_id=self.world.merchant_id, status=status, reason="the bill", at=self.world.at,
            actor_id=self.world.owner.pk,
        )  # fmt: skip

    # Customers

    def joins(self, store: str = "", **person: Any) -> Phone:
        """Let a customer join on a new phone."""
        body = {"store_code": store or self.code, **person}
        answer = Client().post(f"{STOREFRONT}enroll", body, content_type="application/json", headers=EN)
        made = done(answer)
        return Phone(made["card"], made["access_secret"])

    def proven(self, email: str, **person: Any) -> Phone:
        """Let a customer join and confirm the address by the link in the mail."""
        phone = self.joins(email=email, **person)
        [letter] = self.mails()
        click(letter)
        self.mails()
        return phone

    def recovers(self, **by: str) -> Any:
        """Ask for the way back to a card."""
        body = {"store_code": self.code, **by}
        return Client().post(f"{STOREFRONT}recover", body, content_type="application/json", headers=EN)

    # At the till

    def asks(self, path: str, phone: Phone | None = None, by: Caller | None = None, **body: Any) -> Any:
        """POST to the store API; the card by its id. A name in capitals is a header."""
        headers = {name: body.pop(name) for name in list(body) if name[0].isupper()}
        card = {"card_id": phone.card["id"]} if phone is not None else {}
        return (by or self.pos).post(path, {**card, **body}, **headers)

    def stamps(self, phone: Phone, quantity: int = 1, **more: Any) -> dict[str, Any]:
        """Give stamps."""
        return done(self.asks("stamp", phone, quantity=quantity, **more))

    def sells(self, phone: Phone, cents: int, **more: Any) -> dict[str, Any]:
        """Grant the points of a sale."""
        return done(self.asks("points", phone, purchase_amount_cents=cents, **more))

    def hands_out(self, phone: Phone, reward_id: str = "", **more: Any) -> dict[str, Any]:
        """Hand out a stamp reward, or the reward that points buy."""
        if reward_id:
            return done(self.asks("points/redeem", phone, reward_id=reward_id, **more))
        return done(self.asks("stamp/redeem", phone, **more))

    def reward(self, cost: int, name: str = "Tote") -> str:
        """Offer a reward for points; return its id."""
        return str(done(self.pos.post("rewards", {"name": name, "points_cost": cost}))["id"])

    def void(self, of: dict[str, Any], by: Caller | None = None, **body: Any) -> Any:
        """Undo an operation by its answer."""
        return (by or self.pos).post(f"transactions/{of['transaction_id']}/void", body)

    def refund(self, of: dict[str, Any], cents: int, by: Caller | None = None) -> Any:
        """Refund a part of a sale by its answer."""
        return (by or self.pos).post(f"transactions/{of['transaction_id']}/refund", {"amount_cents": cents})

    def on_card(self, verb: str, phone: Phone, by: Caller | None = None, **body: Any) -> Any:
        """Correct a card: adjust, freeze, unfreeze, merge, unmerge."""
        return (by or self.pos).post(f"cards/{phone.card['id']}/{verb}", body)

    def changes(self, **rules: Any) -> dict[str, Any]:
        """Change the program."""
        return done(self.pos.patch("program", rules), 200)

    def ledger(self, phone: Phone) -> list[dict[str, Any]]:
        """Return a card's rows as the merchant sees them, the oldest first."""
        rows = done(self.pos.get(f"cards/{phone.card['id']}/transactions?page_size=100"), 200)["results"]
        return list(reversed(rows))

    # What works behind

    def mails(self) -> list[Any]:
        """Let the relay and the mail worker do their work; return the mails that went out."""
        app.loader.import_default_modules()
        before = len(mail.outbox)
        with tenancy.scope(self.world.merchant_id):
            events = list(OutboxEvent.objects.filter(pk__gt=self.heard).order_by("pk"))
        for event in events:
            self.heard = event.pk
            for name in ROUTES.get(event.topic, ()):
                app.tasks[name](str(self.world.merchant_id), **event.payload)
        tasks.send_mails()
        return mail.outbox[before:]

    def night(self) -> None:
        """Run the nightly job as the timetable starts it."""
        merchant_id = self.world.merchant_id
        if merchant_id in expiry.merchants(at=timezone.now()):
            expire_at_merchant(str(merchant_id))
            warn_at_merchant(str(merchant_id))

    def adds_up(self) -> None:
        """Hold every card against its ledger, and everything against verify_ledger."""
        with tenancy.scope(self.world.merchant_id):
            found = list(Card.objects.all())
        assert found
        for card in found:
            self.world.assert_adds_up(card)
        assert verification.verify(self.world.merchant_id).differences == ()

    def card_row(self, phone: Phone) -> Card:
        """Return a card's row."""
        with tenancy.scope(self.world.merchant_id):
            return Card.objects.get(pk=UUID(phone.card["id"]))
