"""The open card page: its version, the copy that a browser keeps, and saving it by mail."""

import pytest
from django.core import mail
from django.test import Client

from core import tenancy
from core.models import OutboxEvent
from customers.models import Customer
from loyalty.models import Card
from loyalty.rules import browsers
from loyalty.services import programs
from tests.support.pages import ANDROID, IPHONE
from tests.support.world import World

pytestmark = pytest.mark.django_db


def page(world: World, name: str) -> str:
    return f"/loyalty/{world.store.code}/{name}"


def joined(client: Client, world: World, **typed: str) -> Card:
    client.post(page(world, "enroll"), {"language": "en", **typed})
    with tenancy.scope(world.merchant_id):
        return Card.objects.latest("id")


def test_the_version_moves_with_what_is_shown(client: Client) -> None:
    world = World.make()
    card = joined(client, world)
    seen = []

    def look() -> None:
        answer = client.get(page(world, "state"))
        assert answer["ETag"] == f'"{answer.json()["version"]}"'
        seen.append(answer.json()["version"])

    look()
    look()
    world.stamp(card)
    look()
    programs.update(
        merchant_id=world.merchant_id, program_id=world.program.pk, data={"status": "paused"}, user_id=None, at=world.at
    )
    look()
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")
    look()

    assert len(set(seen)) == 4
    assert seen[0] == seen[1]
    assert f'data-version="{seen[-1]}"' in client.get(page(world, "dashboard")).content.decode()


def test_who_knows_the_version_gets_nothing(client: Client) -> None:
    world = World.make()
    joined(client, world)
    etag = client.get(page(world, "state"))["ETag"]

    for known in (etag, f"W/{etag}"):
        answer = client.get(page(world, "state"), headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")


def test_pages_without_a_card_tell_the_browser_to_drop_its_copy(client: Client) -> None:
    world = World.make()
    assert client.get(page(world, "enroll"))["X-Card-Copy"] == "drop"
    joined(client, world)

    assert "X-Card-Copy" not in client.get(page(world, "dashboard"))
    assert client.post(page(world, "privacy/erase"), {"confirm": "yes"}).status_code == 200
    assert client.get(page(world, "dashboard"), follow=True)["X-Card-Copy"] == "drop"


def test_the_worker_stands_above_the_pages_and_is_always_looked_for_anew(client: Client) -> None:
    answer = client.get("/loyalty/worker.js")

    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"
    assert "self.addEventListener" in answer.content.decode()


def test_saving_by_mail(client: Client) -> None:
    world = World.make()
    card = joined(client, world)

    wrong = client.post(page(world, "save"), {"email": "marie@"})
    sent = client.post(page(world, "save"), {"email": "marie@example.com"})

    assert (wrong.status_code, sent.status_code) == (400, 303)
    assert "Write an e-mail address" in wrong.content.decode()
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=card.customer_id).email == "marie@example.com"
    shown = client.get(sent["Location"]).content.decode()
    assert "A link is on its way to marie@example.com" in shown
    assert "Send it again" in shown
    assert client.post(page(world, "save"), {"email": "Marie@example.com"}).status_code == 303
    with tenancy.scope(world.merchant_id):
        asked = OutboxEvent.objects.filter(topic="customers.address_typed").count()
    assert asked == 2, "the same address again asks for another mail"
    assert mail.outbox == [], "mails are written by the queue"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (IPHONE, "apple"),
        (ANDROID, "android"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)", "apple"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "desktop"),
        ("", "desktop"),
    ],
)
def test_guesses_the_device(agent: str, device: str) -> None:
    assert browsers.device(agent) == device


def test_knows_a_browser_inside_another_app() -> None:
    assert browsers.is_in_app(f"{IPHONE} Instagram 350.0.0")
    assert browsers.is_in_app("Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) Chrome/125 Mobile")
    assert not browsers.is_in_app(IPHONE)
    assert not browsers.is_in_app(ANDROID)
