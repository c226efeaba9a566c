"""Promise 21: people with canaries in every field they can reach live, are erased, and nothing anywhere names them."""

import json
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from core import claims, tenancy
from core.models import OutboxEvent
from customers import tasks
from customers.models import Customer, MagicLink
from loyalty import card_cookie
from loyalty.models import Card, CardMerge, ReviewItem, TransactionDetail
from loyalty.queries import access, verification
from loyalty.services import news
from merchants.enums import Role
from merchants.models import Membership
from tests.fakes import pkpass
from tests.support import canaries
from tests.support.api import Caller
from tests.support.canaries import TRACES, Canary
from tests.support.desk import Desk
from tests.support.wallets import Phones, wired
from tests.support.world import World
from wallets.models import ApplePass, DeviceLog, GooglePass
from wallets.providers.google import pace
from wallets.services import fetches

COUNT = 32
STOREFRONT = "/api/v1/storefront/loyalty/"
TASKS = {
    "customers.enrolled": tasks.mail_after_enrollment, "customers.address_typed": tasks.mail_new_address,
    "customers.recover_requested": tasks.mail_way_back,
}  # fmt: skip
# Where the canaries are known to live: if one of these held none before, the story below would prove nothing.
LIVED = {
    "customers_customer", "customers_consent", "customers_magiclink", "loyalty_card", "loyalty_cardmerge",
    "loyalty_transactiondetail", "loyalty_reviewitem", "core_idempotencyrecord", "wallets_googlepass",
    "wallets_devicelog",
}  # fmt: skip


class Life:
    """One person at one merchant, from joining to what everybody writes about them."""

    def __init__(self, world: World, canary: Canary, pos: Caller, till: Caller) -> None:
        self.world, self.canary, self.pos, self.till = world, canary, pos, till
        self.phone = Client(headers={"Accept-Language": "en", "User-Agent": canary.browser}, REMOTE_ADDR=canary.ip)
        self.card: Card = None  # type: ignore[assignment]
        self.secret = ""

    def live(self) -> "Life":
        self.join()
        self.deliver()
        self.confirm()
        self.use()
        self.be_written_about()
        self.deliver()
        return self

    def join(self) -> None:
        who = self.canary
        body = {
            "store_code": self.world.store.code, "name": who.name, "email": who.email, "phone": who.phone,
            "birthday": "1956-03-21", "service_email_consent": True, "marketing_email_consent": True,
            "marketing_sms_consent": True,
        }  # fmt: skip
        made = self.ok(self.phone.post(
            f"{STOREFRONT}enroll", body, content_type="application/json",
            headers={"Idempotency-Key": f"enrol-{who.number}"},
        ), 201)  # fmt: skip
        self.secret = made["access_secret"]
        with tenancy.scope(self.world.merchant_id):
            self.card = Card.objects.select_related("customer").get(pk=made["card"]["id"])
        response = HttpResponse()
        card_cookie.write(HttpRequest(), response, self.world.program.pk, self.secret)
        self.phone.cookies.update(response.cookies)

    def deliver(self) -> None:
        """Run the tasks behind what happened, and send."""
        for event in claims.claim(at=timezone.now()):
            if event.topic in TASKS:
                TASKS[event.topic](str(event.merchant_id), **event.payload)
        tasks.send_mails()

    def confirm(self) -> None:
        """Tap the link that came by mail."""
        mine = [message for message in mail.outbox if message.to == [self.canary.email]]
        found = re.search(r"http://[^/]+(/loyalty/\S+/link/\S+)", str(mine[-1].body))
        assert found
        assert self.phone.post(found[1], {"join": "yes"}).status_code == 303

    def use(self) -> None:
        """Change, agree, withdraw, come back, be refused."""
        who, key = self.canary, f"consent-{self.canary.number}"
        self.ask("patch", "profile", {"name": f"{who.name}s", "email": who.new_email})
        self.ask("post", "consents", {"purpose": "service", "channel": "sms", "granted": True}, key)
        self.ask("post", "consents", {"purpose": "marketing", "channel": "sms", "granted": False})
        for body in ({"email": who.email}, {"phone": who.phone}, {"email": "KANARI" + who.email[6:]}):
            self.ok(self.phone.post(
                f"{STOREFRONT}recover", {"store_code": self.world.store.code, **body}, content_type="application/json"
            ), 202)  # fmt: skip
        for path in ("privacy", "privacy/export", "dashboard", "history", "profile"):
            assert self.phone.get(f"/loyalty/{self.world.store.code}/{path}").status_code == 200
        assert "anari" in b"".join(self.phone.get(f"{STOREFRONT}export").streaming_content).decode()

    def be_written_about(self) -> None:
        """Everything that others can write about a card."""
        who, card, pos, number = self.canary, {"card_id": str(self.card.pk)}, self.pos, self.canary.number
        sale = self.ok(pos.post("points", {**card, "purchase_amount_cents": 2000}, Idempotency_Key=f"s{number}"), 201)
        self.ok(
            self.till.post(
                f"transactions/{sale['transaction_id']}/refund", {"amount_cents": 500, "reason": who.said("back")}
            ),
            201,
        )  # fmt: skip
        stamp = self.ok(self.till.post("stamp", {**card, "confirm": True}), 201)
        self.ok(self.till.post(f"transactions/{stamp['transaction_id']}/void", {"reason": who.said("slip")}), 201)
        self.ok(pos.post(f"cards/{self.card.pk}/adjust", {"stamps_delta": 3, "reason": who.said("gift")}), 201)
        assert pos.post("points/redeem", {**card, "reward_id": str(self.card.pk)}).status_code in (404, 409)
        self.merge_and_part()
        old = (timezone.now() - timedelta(hours=80)).isoformat()
        kept = {
            "key": f"old-{number}", "op": "points", "occurred_at": old, "qr_code": self.card.qr_code_data,
            "purchase_amount_cents": 900, "order_reference": f"Kanariorder{number}",
        }  # fmt: skip
        self.ok(self.till.post("terminal/batch", {"operations": [kept]}), 200)
        with tenancy.scope(self.world.merchant_id):
            item = ReviewItem.objects.get(key=f"old-{number}")
        if number % 2:
            self.ok(pos.post(f"reviews/{item.pk}/dismiss", {"note": who.said("no")}), 200)
        customer = f"http://testserver/api/v1/merchant/customers/{self.card.customer_id}"
        self.ok(pos.patch(customer, {"name": who.name, "language": "de"}, Idempotency_Key=f"patch{number}"), 200)
        freeze = {"reason": who.said("lost phone")}
        self.ok(pos.post(f"cards/{self.card.pk}/freeze", freeze, Idempotency_Key=f"freeze{number}"), 200)

    def merge_and_part(self) -> None:
        """A second card typed by staff comes and, for every third person, goes again."""
        who, number = self.canary, self.canary.number
        made = self.ok(self.pos.post(
            "cards/enroll", {"name": who.name, "email": who.email, "phone": who.phone}, Idempotency_Key=f"staff{number}"
        ), 201)  # fmt: skip
        merge = {"into": str(self.card.pk), "reason": who.said("same person")}
        self.ok(self.pos.post(f"cards/{made['id']}/merge", merge, Idempotency_Key=f"merge{number}"), 201)
        if number % 3 == 0:
            self.ok(self.pos.post(f"cards/{made['id']}/unmerge", {"reason": who.said("two persons")}), 201)
            # Taken apart it is somebody else's as far as anybody knows, and is erased by itself.
            self.erase_by_merchant(made["customer"]["id"])

    def erase_by_merchant(self, customer_id: Any) -> None:
        path = f"http://testserver/api/v1/merchant/customers/{customer_id}/erase"
        named = self.pos.post(path, {"confirm": True, "reason": self.canary.said("letter")})
        assert named.json()["errors"][0]["code"] == "personal_data"
        self.ok(self.pos.post(path, {"confirm": True, "reason": "letter of 3 May"}), 200)

    def ask(self, method: str, path: str, body: Any, key: str = "") -> Any:
        headers = {"Authorization": f"Card {self.secret}", **({"Idempotency-Key": key} if key else {})}
        answer = getattr(self.phone, method)(STOREFRONT + path, body, content_type="application/json", headers=headers)
        assert answer.status_code in (200, 201), answer.content
        return answer

    @staticmethod
    def ok(answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


def erase(life: Life, manager: Client) -> None:
    """Erase a person in one of the four ways."""
    way, code = life.canary.number % 4, life.world.store.code
    if way == 0:
        assert life.ask("post", "erase", {"confirm": True}).status_code == 200
    elif way == 1:
        page = life.phone.post(f"/loyalty/{code}/privacy/erase", {"confirm": "yes"})
        assert page.status_code == 200
        assert not TRACES.search(page.content.decode())
    elif way == 2:
        life.erase_by_merchant(life.card.customer_id)
    else:
        page = f"/store/{code}/loyalty/cards/{life.card.pk}/erase"
        assert manager.post(page, {"reason": life.canary.said("letter")}).status_code == 400
        assert manager.post(page, {"reason": "letter of 3 May"}).status_code == 302


def test_promise_21_erasure_leaves_no_canary(
    real_db: Any, broker: str, caplog: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(pace, "GAP_MICROSECONDS", 1_000)  # Google's pace is another test's business
    settings.LOYALTY_THROTTLE_SCALE = 1000
    world = World.make(at=timezone.now() - timedelta(hours=1), loyalty_type="hybrid", points_per_euro="10")
    pos, till, desk = Caller.of(world), Caller.terminal(world), Desk.open()
    with tenancy.scope(world.merchant_id):
        Membership.objects.create(user=world.owner, role=Role.OWNER)
    manager = Client()
    manager.force_login(world.owner, backend="django.contrib.auth.backends.ModelBackend")
    lives = [Life(world, Canary(number), pos, till).live() for number in range(COUNT)]
    look_around(lives, manager, pos, desk)
    with wired(settings, tmp_path, world, "http://testserver") as phones:
        carry(lives, phones)
        forget_all(lives, phones, manager, pos, desk, real_db)
        assert canaries.in_redis(broker) == []
        assert on_phones(phones) == []
    assert [record for record in caplog.messages if TRACES.search(record)] == []
    assert verification.verify().differences == ()
    nobody_is_shown(lives, manager, pos, desk)
    nothing_goes_out(lives)


def forget_all(lives: list[Life], phones: Phones, manager: Client, pos: Caller, desk: Desk, real_db: Any) -> None:
    """Erase everybody, and look at every row of every table before and after."""

    with real_db.connect_as_superuser() as administrator:
        before, books = canaries.in_database(administrator), canaries.ledger(administrator)
        assert set(before) >= LIVED, f"no canaries lived in {LIVED - set(before)}"
        administrator.rollback()

        for life in lives:
            erase(life, manager)

        assert canaries.in_database(administrator) == {}
        assert canaries.ledger(administrator) == books, "the ledger stays as it is"
        # What the passes still have to be told is told without a word of them, and nothing is written back.
        phones.work()
        administrator.rollback()
        assert canaries.in_database(administrator) == {}


def carry(lives: list[Life], phones: Phones) -> None:
    """Put everybody's card into both wallets, and let a phone report of it."""
    phones.work()
    assert "anari" in json.dumps(phones.google.shelf.kept["loyaltyObject"])
    with tenancy.scope(phones.world.merchant_id):
        for life in lives:
            row = ApplePass.objects.get(card_id=life.card.pk)
            DeviceLog.objects.create(message=life.canary.said("log"), serial=row.serial, received_at=timezone.now())


def on_phones(phones: Phones) -> list[str]:
    """Return the passes of either wallet that still name somebody."""
    with tenancy.scope(phones.world.merchant_id):
        rows = list(ApplePass.objects.all())
        names = list(GooglePass.objects.values_list("object_id", flat=True))
    assert len(rows) >= COUNT
    shown = {name: json.dumps(phones.at_google(name), ensure_ascii=False) for name in names}
    for row in rows:
        made = fetches.make(merchant_id=row.merchant_id, pass_id=row.pk, at=timezone.now())
        package = pkpass.read(made.rendered.content, root=phones.root)
        assert package.content["voided"] is True
        shown[row.serial] = json.dumps(package.content, ensure_ascii=False) + repr(package.files)
    return [name for name, text in shown.items() if TRACES.search(text)]


def look_around(lives: list[Life], manager: Client, pos: Caller, desk: Desk) -> None:
    """Let everybody look at the people, and a platform's administrator act: what is kept of that names nobody."""
    life = lives[1]
    for kind in ("cards", "customers", "transactions"):
        pos_file = manager.get(f"/store/merchant/export/{kind}.csv")
        assert b"".join(pos_file.streaming_content)
    assert "anari" in pos.get("http://testserver/api/v1/merchant/customers").content.decode()
    with tenancy.platform(reason="test"):
        customer = Customer.objects.get(pk=life.card.customer_id)
        rows = [
            customer, MagicLink.objects.filter(customer=customer).first(),
            TransactionDetail.objects.filter(transaction__card=life.card).first(),
            CardMerge.objects.filter(target=life.card).first(), life.card,
        ]  # fmt: skip
    for row in rows:
        assert row is not None
        assert desk.act("reveal", row, reason=life.canary.said("asked")).status_code == 302
        assert "anari" in desk.act("reveal", row).content.decode()
    desk.act("unfreeze", life.card, reason=life.canary.said("found"))
    desk.act("unfreeze", life.card)
    assert life.card.customer_id in desk.found(Customer, life.canary.email)


def nobody_is_shown(lives: list[Life], manager: Client, pos: Caller, desk: Desk) -> None:
    """Hold every door behind which the people stood against their traces."""
    code = lives[0].world.store.code
    shown = [b"".join(manager.get(f"/store/merchant/export/{kind}.csv").streaming_content) for kind in (
        "cards", "customers", "transactions",
    )]  # fmt: skip
    shown += [pos.get(path).content for path in ("cards", "http://testserver/api/v1/merchant/customers", "reviews")]
    shown += [manager.get(f"/store/{code}/loyalty/{page}").content for page in ("cards", "reviews", "")]
    shown += [desk.browse(model).content for model in (Customer, Card, MagicLink, CardMerge, ReviewItem)]
    shown.append(desk.get("/admin/").content)
    for life in lives:
        page, card = f"/store/{code}/loyalty/cards/{life.card.pk}", life.card
        shown += [manager.get(page).content]
        shown += [pos.get(f"cards/{card.pk}{rest}").content for rest in ("", "/transactions")]
        shown += [desk.row(row).content for row in (card, life.card.customer)]
        for ref in ({"qr_code": card.qr_code_data}, {"card_number": card.card_number}):
            assert pos.post("cards/lookup", ref).status_code == 404
        assert pos.post("cards/lookup", {"query": life.canary.email}).json()["results"] == []
        assert access.card_of(life.secret) is None
        door = life.phone.get(f"/loyalty/{code}/dashboard")
        assert (door.status_code, door["Location"]) == (302, f"/loyalty/{code}/enroll")
    assert [text[:200] for text in shown if TRACES.search(text.decode())] == []


def nothing_goes_out(lives: list[Life]) -> None:
    """Neither what waited nor what is asked for afterwards becomes a mail."""
    mail.outbox.clear()
    world = lives[0].world
    for life in lives:
        body = {"store_code": world.store.code, "email": life.canary.email}
        life.phone.post(f"{STOREFRONT}recover", body, content_type="application/json")
        life.deliver()
        news.tell(merchant_id=world.merchant_id, card_id=life.card.pk, at=timezone.now())
    life.deliver()
    assert mail.outbox == []
    with tenancy.scope(world.merchant_id):
        assert not OutboxEvent.objects.filter(payload__icontains="kanari").exists()


@pytest.mark.django_db
def test_the_search_finds_what_is_there() -> None:
    """A search that cannot find proves nothing: the traces of every kind of canary are recognised."""
    who = Canary(7)

    for text in (who.name, who.email, who.new_email, who.phone, who.ip, who.browser, who.said("x")):
        assert TRACES.search(f"before {text} after"), text
