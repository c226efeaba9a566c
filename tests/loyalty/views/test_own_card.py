"""The customer's pages: card, history, data, and the doors that lead to them (rules 1, 4, 20)."""

import re
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import tenancy
from core.models import OutboxEvent
from customers import tasks
from customers.models import Customer, MagicLink
from loyalty import card_cookie
from loyalty.models import Card, Reward
from loyalty.queries import access
from stores.models import Store
from stores.services import terminals
from tests.support.world import World

pytestmark = pytest.mark.django_db
EN = {"Accept-Language": "en"}


def page(world: World, name: str = "dashboard") -> str:
    return f"/loyalty/{world.store.code}/{name}"


def joined(client: Client, world: World, **typed: str) -> Card:
    client.post(page(world, "enroll"), {"language": "en", **typed})
    with tenancy.scope(world.merchant_id):
        return Card.objects.latest("id")


def test_it_works(client: Client) -> None:
    world = World.make()
    card = joined(client, world)
    world.stamp(card, 17)

    html = client.get(page(world)).content.decode()

    assert '3 more to your <em translate="no">Free coffee</em>' in html or "3 more to your <em>Free coffee</em>" in html
    assert "Free coffee is waiting" in html
    assert "7 / 10" in html
    assert 'data-test="card-qr"' in html
    assert html.count("<h1") == 1
    assert " ".join(card.card_number[at : at + 4] for at in (0, 4, 8)) in html
    assert access.secret_of(card) not in html


def test_shows_points_and_what_they_get(client: Client) -> None:
    world = World.make(loyalty_type="points", points_per_euro="1/50")
    with tenancy.scope(world.merchant_id):
        for name, cost in (("Tote bag", 1), ("Scarf", 5)):
            Reward.objects.create(program=world.program, name=name, points_cost=cost)
    card = joined(client, world)
    world.sale(card, 5000)

    html = client.get(page(world)).content.decode()

    assert "4 points to" in html
    assert "just ask at the till" in html
    assert "50.00\u00a0€ to your next point" in html


def test_shows_a_full_card_that_waits(client: Client) -> None:
    world = World.make(full_card="collect_first", stamps_target=3)
    card = joined(client, world)
    world.stamp(card, 3)

    html = client.get(page(world)).content.decode()

    assert "3 / 3" in html
    assert "is waiting" in html


def test_the_code_stands_alone_as_large_as_the_screen(client: Client) -> None:
    world = World.make()
    joined(client, world)

    html = client.get(page(world), {"view": "code"}).content.decode()

    assert 'data-test="card-qr"' in html
    assert html.count("<h1") == 1


def test_lists_the_stores_where_the_card_is_valid(client: Client) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
        Store.objects.create(code=f"{world.store.code}-3", name="Closed one", closed_at=timezone.now())
    joined(client, world)

    html = client.get(page(world)).content.decode()

    assert "Kirchberg" in html
    assert "Closed one" not in html


def test_rule_1_the_card_opens_in_all_stores_of_the_program(client: Client) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
    card = joined(client, world)

    html = client.get(f"/loyalty/{second.code}/dashboard").content.decode()

    assert " ".join(card.card_number[at : at + 4] for at in (0, 4, 8)) in html


def test_another_merchants_page_knows_nothing_of_the_card(client: Client) -> None:
    world, other = World.make(), World.make()
    joined(client, world)
    forged = client.cookies[card_cookie.name(world.program.id)].value
    client.cookies[card_cookie.name(other.program.id)] = forged

    for name in ("dashboard", "history", "welcome", "privacy"):
        assert client.get(page(other, name))["Location"] == page(other, "enroll")


@pytest.mark.parametrize("name", ["dashboard", "history", "welcome", "privacy"])
def test_without_a_card_the_pages_lead_to_the_enrolment(client: Client, name: str) -> None:
    world = World.make()

    answer = client.get(page(world, name))

    assert (answer.status_code, answer["Location"]) == (302, page(world, "enroll"))


@pytest.mark.parametrize("status", ["closed", "merged"])
def test_a_card_that_is_gone_leads_to_the_enrolment(client: Client, status: str) -> None:
    world = World.make()
    card = joined(client, world)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status=status)

    assert client.get(page(world))["Location"] == page(world, "enroll")


def test_rule_20_a_frozen_card_has_neutral_words(client: Client) -> None:
    world = World.make()
    card = joined(client, world)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen", status_reason="fraud review")

    html = client.get(page(world)).content.decode()

    assert "This card is resting. Ask at the till." in html
    assert "fraud" not in html


def test_rule_4_says_that_a_program_is_paused_or_ended(client: Client) -> None:
    world = World.make()
    joined(client, world)
    world.change(status="paused")
    paused = client.get(page(world)).content.decode()
    world.change(status="ended")

    assert "Your rewards stay." in paused
    assert "This programme has ended." in client.get(page(world)).content.decode()


@pytest.mark.parametrize("stamps", [1, 3])
def test_the_card_page_costs_the_same_however_much_happened(client: Client, stamps: int) -> None:
    world = World.make()
    card = joined(client, world)
    for _ in range(stamps):
        world.stamp(card)

    with CaptureQueriesContext(connection) as queries:
        assert client.get(page(world)).status_code == 200

    assert len([query for query in queries if ' FROM "' in query["sql"]]) == 10


def test_pages_through_the_history(client: Client) -> None:
    world = World.make()
    card = joined(client, world)
    for _ in range(30):
        world.stamp(card)

    first = client.get(page(world, "history")).content.decode()
    more = re.search(r'href="([^"]*\?before=\d+)"', first)
    assert more is not None
    second = client.get(more[1]).content.decode()

    assert first.count('class="row-line"') == 25
    assert second.count('class="row-line"') == 9
    assert "Card made" in second
    assert 'rel="next"' not in second


@pytest.mark.parametrize("before", ["x", "-1", "1" * 30, "1.5", "", "٣"])
def test_a_page_of_history_that_is_none_is_not_there(client: Client, before: str) -> None:
    world = World.make()
    joined(client, world)

    assert client.get(page(world, "history"), {"before": before}).status_code == 404


def test_marks_what_was_undone(client: Client) -> None:
    world = World.make()
    card = joined(client, world)
    world.void(world.stamp(card)["transaction_id"])

    html = client.get(page(world, "history")).content.decode()

    assert "Undone: 1 stamp" in html
    assert "(undone)" in html


def test_shows_what_we_hold(client: Client) -> None:
    world = World.make()
    joined(client, world, name="Marie", email="marie@example.com", phone="621 123 456", service_email_consent="on")

    html = client.get(page(world, "privacy")).content.decode()

    for held in (
        "Marie",
        "marie@example.com",
        "+352621123456",
        "not confirmed yet",
        "waits for your confirmed address",
    ):
        assert held in html


def test_the_door_leads_to_the_own_card_else_to_the_enrolment(client: Client) -> None:
    world = World.make()
    door = f"/loyalty/{world.store.code}"

    before = client.get(door)["Location"]
    joined(client, world)

    assert (before, client.get(door)["Location"]) == (page(world, "enroll"), page(world))


def test_paths_without_a_store_lead_to_the_own_card(client: Client) -> None:
    world = World.make()

    nobody = client.get("/loyalty")["Location"]
    joined(client, world)

    assert nobody == "/"
    assert client.get("/loyalty")["Location"] == page(world)
    assert client.get("/loyalty/history")["Location"] == page(world, "history")
    assert client.get("/loyalty/dashboard")["Location"] == page(world)


def test_a_stranger_with_the_code_sees_the_shop_and_nothing_of_the_card(client: Client) -> None:
    world = World.make()
    card = world.card(name="Marie Klein", email="marie@example.com")

    answer = client.get(f"/c/{card.qr_code_data}", headers=EN)

    html = answer.content.decode()
    assert answer.status_code == 200
    assert "CoffeeLux" in html
    assert "Show this at the till" in html
    for secret in ("Marie", "marie@", card.card_number, card.card_number[:4], "stamp_count", access.secret_of(card)):
        assert secret not in re.sub(r'value="[^"]*"', "", html)


def test_the_customers_own_code_leads_to_the_card(client: Client) -> None:
    world = World.make()
    card = joined(client, world)

    assert client.get(f"/c/{card.qr_code_data}")["Location"] == page(world)


def paired(world: World) -> str:
    code = terminals.make_pairing_code(
        merchant_id=world.merchant_id, store_id=world.store.id, name="Till", user_id=world.owner.pk, at=timezone.now()
    )
    return terminals.pair(code=code.code, at=timezone.now()).token


def test_on_a_terminal_the_code_opens_the_card_sheet(client: Client) -> None:
    world, other = World.make(), World.make()
    card, foreign = world.card(), other.card()
    client.cookies["terminal"] = paired(world)

    answer = client.get(f"/c/{card.qr_code_data}")

    assert answer["Location"] == f"/store/{world.store.code}/loyalty/terminal?code={card.qr_code_data}"
    assert client.get(f"/c/{foreign.qr_code_data}").status_code == 200
    client.cookies["terminal"] = "abcdefgh.forged-forged-forged-forged-forged"
    assert client.get(f"/c/{card.qr_code_data}").status_code == 200


@pytest.mark.parametrize("code", ["nowhere", "x" * 500, "a%00b", "'; --"])
def test_an_unknown_code_is_not_there(client: Client, code: str) -> None:
    assert client.get(f"/c/{code}").status_code == 404


def deliver(world: World, topic: str) -> str:
    """Run the task behind the newest event of a topic; return the link it mailed."""
    with tenancy.scope(world.merchant_id):
        payload = OutboxEvent.objects.filter(topic=topic).latest("id").payload
    task = {"customers.enrolled": tasks.mail_after_enrollment, "customers.recover_requested": tasks.mail_way_back}[
        topic
    ]
    task(str(world.merchant_id), **payload)
    tasks.send_mails()
    found = re.search(r"http://[^/]+(/\S+/link/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def test_a_link_is_used_by_its_button_only(client: Client) -> None:
    world = World.make()
    card = joined(client, world, email="marie@example.com", marketing_email_consent="on")
    link, phone = deliver(world, "customers.enrolled"), Client()

    looks = [phone.get(link, headers=EN) for _ in range(3)]
    used = phone.post(link)
    again = phone.post(link)

    assert [look.status_code for look in looks] == [200, 200, 200]
    assert b"Confirm and open my card" in looks[0].content
    assert b"Send me offers by e-mail" in looks[0].content
    assert (used.status_code, used["Location"]) == (303, page(world))
    assert " ".join(card.card_number[at : at + 4] for at in (0, 4, 8)) in phone.get(page(world)).content.decode()
    assert again.status_code == 410
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=card.customer_id).confirmed_at is not None


def test_rule_3_a_known_address_gets_its_own_card_back(client: Client) -> None:
    world = World.make()
    old = joined(client, world, email="marie@example.com")
    client.post(deliver(world, "customers.enrolled"))
    world.stamp(old, 4)
    phone = Client()
    new = joined(phone, world, email="Marie@Example.com")

    phone.post(deliver(world, "customers.enrolled"))

    assert new.id != old.id
    assert "4 / 10" in phone.get(page(world)).content.decode()


def test_the_way_back_brings_the_card_to_another_phone(client: Client) -> None:
    world = World.make()
    joined(client, world, email="marie@example.com")
    phone = Client()

    known = phone.post(page(world, "recover"), {"email": "marie@example.com"}, headers=EN)
    phone.post(deliver(world, "customers.recover_requested"))
    unknown = phone.post(page(world, "recover"), {"email": "nobody@example.com"}, headers=EN)

    assert phone.get(page(world)).status_code == 200
    assert known.status_code == unknown.status_code == 200
    assert b"If we know this address, a link is on its way" in known.content
    assert b"If we know this address, a link is on its way" in unknown.content


@pytest.mark.parametrize("email", ["", "nonsense", "a\x00@example.com", "x" * 300])
def test_the_way_back_needs_an_address(client: Client, email: str) -> None:
    world = World.make()

    shown = client.post(page(world, "recover"), {"email": email})

    assert shown.status_code == 400
    with tenancy.scope(world.merchant_id):
        assert not OutboxEvent.objects.filter(topic="customers.recover_requested").exists()


def test_a_link_of_another_merchant_opens_nothing_and_stays_good(client: Client) -> None:
    world, other = World.make(), World.make()
    joined(client, world, email="marie@example.com")
    token = deliver(world, "customers.enrolled").rsplit("/", 1)[1]

    answers: list[Any] = [client.get(page(other, f"link/{token}")), client.post(page(other, f"link/{token}"))]

    assert [answer.status_code for answer in answers] == [410, 410]
    with tenancy.scope(world.merchant_id):
        assert MagicLink.objects.get().used_at is None


@pytest.mark.parametrize("token", ["nonsense", "x" * 2000, "a%00b"])
def test_a_link_that_never_was_offers_a_new_one(client: Client, token: str) -> None:
    world = World.make()

    shown = client.get(page(world, f"link/{token}"), headers=EN)

    assert shown.status_code == 410
    assert page(world, "recover").encode() in shown.content


def test_the_way_back_is_counted_per_address(client: Client) -> None:
    from loyalty.services.limits import RECOVERIES

    world = World.make()
    for _ in range(RECOVERIES):
        assert client.post(page(world, "recover"), {"email": "marie@example.com"}).status_code == 200

    assert client.post(page(world, "recover"), {"email": "marie@example.com"}).status_code == 429
