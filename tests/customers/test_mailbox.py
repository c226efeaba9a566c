"""The mailbox: one mail per event, asked for consent when it goes, tried again, never twice a day (rules 5 and 23)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from core import tenancy
from core.ids import uuid7
from customers.models import Customer, Mail
from customers.services import consents, customers, mailbox, unsubscribes
from merchants.models import Merchant, MerchantSettings
from tests.support.smtp import MailServer
from tests.support.world import World

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FACTS = {"card_id": str(uuid7()), "pages": "/loyalty/gare", "reward_name": "Free coffee"}
NEWS = ("service", "email")
pytestmark = pytest.mark.django_db


def marie(world: World, *, news: bool = True, confirmed: bool = True, language: str = "en", **typed: str) -> Customer:
    contact = customers.read_contact(country="LU", email="marie@example.com", language=language, **typed)
    made = customers.create(merchant_id=world.merchant_id, contact=contact, default_language="en")
    if confirmed:
        customers.confirm(merchant_id=world.merchant_id, customer_id=made.pk, at=NOON)
    if news:
        agree(world, made, NOON)
    return made


def agree(world: World, customer: Customer, at: datetime, granted: bool = True) -> None:
    consents.decide(
        merchant_id=world.merchant_id, customer_id=customer.pk, purpose="service", channel="email", granted=granted,
        source="profile", language="en", at=at,
    )  # fmt: skip


def queue(world: World, who: Customer, event: str = "e-1", kind: str = "reward_ready", **how: Any) -> bool:
    facts = {**FACTS, **how.pop("facts", {})}
    with tenancy.scope(world.merchant_id):
        return mailbox.queue(
            merchant_id=world.merchant_id, customer_id=who.pk, kind=kind, event=event, facts=facts,
            at=how.pop("at", NOON), **how,
        )  # fmt: skip


def send(at: datetime = NOON) -> list[Any]:
    """Send what is due at a moment; return what went out."""
    mail.outbox.clear()
    while batch := mailbox.claim(at=at):
        for claimed in batch:
            mailbox.deliver(claimed, at=at)
    return mail.outbox


def rows(world: World) -> list[Mail]:
    with tenancy.scope(world.merchant_id):
        return list(Mail.objects.order_by("id"))


def states(world: World) -> list[str]:
    return [row.state for row in rows(world)]


def test_it_works() -> None:
    world = World.make()

    assert queue(world, marie(world, name="Marie"))
    (sent,) = send()

    assert (sent.to, sent.subject) == (["marie@example.com"], "Free coffee is waiting at CoffeeLux")
    assert "Hello Marie," in sent.body
    assert "/loyalty/gare" in sent.body
    (row,) = rows(world)
    assert (row.state, row.sent_at, row.attempts, row.last_error) == ("sent", NOON, 1, "")


def test_an_event_makes_one_mail_however_often_it_is_told() -> None:
    world = World.make()
    who = marie(world)

    assert [queue(world, who), queue(world, who), queue(world, who, "e-2")] == [True, False, True]
    assert [row.event for row in rows(world)] == ["e-1", "e-2"]


def test_two_merchants_may_have_an_event_of_the_same_name() -> None:
    one, other = World.make(), World.make()

    assert queue(one, marie(one))
    assert queue(other, marie(other))


def test_a_mail_waits_until_it_is_due() -> None:
    world = World.make()
    queue(world, marie(world), due_at=NOON + timedelta(hours=1))

    assert send() == []
    assert len(send(NOON + timedelta(hours=1))) == 1


def test_a_row_holds_no_secret_no_name_and_no_address() -> None:
    world = World.make()
    who = marie(world, name="Marie")
    queue(world, who, kind="recover")
    (sent,) = send()

    (row,) = rows(world)
    kept = json.dumps(row.facts) + row.event + row.last_error
    token = sent.body.split("/link/")[1].split()[0]
    assert not [word for word in (token, "Marie", "marie@") if word in kept]


def test_rule_23_unsubscribing_stops_what_is_queued_already() -> None:
    world = World.make()
    who = marie(world)
    queue(world, who)
    unsubscribes.unsubscribe(unsubscribes.Subscription(world.merchant_id, who.pk, *NEWS), at=NOON)

    assert send() == []
    assert [(row.state, row.last_error) for row in rows(world)] == [("dropped", "no consent")]


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"confirmed_at": None}, "no confirmed address"), ({"email": "", "email_key": ""}, "no confirmed address"),
     ({"erased_at": NOON}, "erased")],
)  # fmt: skip
def test_rule_23_asks_at_the_moment_of_sending(changed: dict[str, Any], why: str) -> None:
    world = World.make()
    who = marie(world)
    queue(world, who)
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=who.pk).update(**changed)

    assert send() == []
    assert [(row.state, row.last_error) for row in rows(world)] == [("dropped", why)]


def test_rule_23_without_a_consent_no_news_goes() -> None:
    world = World.make()
    queue(world, marie(world, news=False))

    assert send() == []


@pytest.mark.parametrize("status", ["late", "suspended", "closed", None])
def test_rule_5_a_silenced_merchant_sends_no_news_but_the_way_back(status: str | None) -> None:
    world = World.make()
    who = marie(world)
    queue(world, who, "news")
    queue(world, who, "back", kind="recover")
    queue(world, who, "card", kind="card")
    with tenancy.scope(world.merchant_id):
        if status:
            Merchant.objects.filter(pk=world.merchant_id).update(status=status)
        else:
            MerchantSettings.objects.update(messages_suspended=True)

    assert {message.subject for message in send()} == {"Your card at CoffeeLux"}
    assert states(world) == ["dropped", "sent", "sent"]


def test_at_most_one_news_a_day_and_the_other_one_the_day_after() -> None:
    world = World.make()
    who = marie(world)
    queue(world, who, "e-1")
    queue(world, who, "e-2", kind="one_stamp_away")
    queue(world, who, "e-3", kind="recover")

    assert len(send()) == 2, "a link that somebody asked for is no news"
    assert states(world) == ["sent", "queued", "sent"]
    assert rows(world)[1].attempts == 0
    assert send(NOON + timedelta(hours=11)) == []
    (later,) = send(NOON + timedelta(days=1))
    assert later.subject == "1 more stamp at CoffeeLux: Free coffee"
    assert send(NOON + timedelta(days=2)) == []


def test_the_day_is_the_merchants_own() -> None:
    """23:30 in UTC is the next day in Luxembourg: what was sent at noon does not count against it."""
    world = World.make()
    who = marie(world)
    queue(world, who, "e-1")
    send()
    queue(world, who, "e-2")

    assert len(send(NOON + timedelta(hours=11, minutes=30))) == 1


def test_a_merged_record_leads_to_the_one_that_goes_on() -> None:
    world = World.make()
    gone, stays = marie(world, confirmed=False, news=False), marie(world, language="de", name="Marie")
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=gone.pk).update(merged_into=stays)
    queue(world, gone)

    (sent,) = send()

    assert "Hello Marie," not in sent.body
    assert "Marie" in sent.body
    assert [row.customer_id for row in rows(world)] == [stays.pk]


def test_news_carry_the_way_out_by_one_click_and_links_do_not() -> None:
    world = World.make()
    who = marie(world)
    queue(world, who, "e-1")
    queue(world, who, "e-2", kind="recover")

    news, link = sorted(send(), key=lambda message: "Your card" in message.subject)

    out = news.extra_headers["List-Unsubscribe"]
    assert out.startswith("<http")
    assert out.strip("<>") in news.body
    assert news.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in link.extra_headers


@pytest.mark.parametrize("language", ["en", "fr", "de", "lb"])
@pytest.mark.parametrize(
    "kind", ["confirm", "known", "recover", "card", "reward_ready", "one_stamp_away", "points_expiring"]
)
def test_every_mail_is_text_and_html_with_nothing_from_elsewhere(kind: str, language: str, settings: Any) -> None:
    world = World.make()
    who = marie(world, language=language, confirmed=kind != "confirm", name="<b>Marie</b>")
    facts = {"of": str(who.pk), "points": 120, "expires_on": "2026-04-09", "days": 30, "reward_name": "A <i> & B"}
    queue(world, who, kind=kind, facts=facts)

    (sent,) = send()

    (page, form), *more = sent.alternatives
    assert (form, more) == ("text/html", [])
    assert f'<html lang="{language}"' in page
    assert "<b>Marie" not in page
    assert "%(" not in page + sent.body + sent.subject
    hosts = {part.split("/")[0] for part in page.replace("https://", "http://").split("http://")[1:]}
    assert hosts == {settings.SITE_URL.split("//")[1]}
    assert not [tag for tag in ("<img", "<script", "<link", "style=") if tag in page]


def test_a_mail_that_is_sent_again_is_the_same_mail(settings: Any) -> None:
    world = World.make()
    queue(world, marie(world))
    with MailServer() as server:
        server.use(settings)
        (first,) = mailbox.claim(at=NOON)
        mailbox.deliver(first, at=NOON)
        with tenancy.scope(world.merchant_id):
            Mail.objects.update(state="inflight", claimed_at=NOON)
        mailbox.rescue(at=NOON + timedelta(minutes=11))
        (again,) = mailbox.claim(at=NOON + timedelta(minutes=11))
        mailbox.deliver(again, at=NOON + timedelta(minutes=11))

    ids = {line for text in server.taken for line in text.splitlines() if line.lower().startswith("message-id")}
    assert len(server.taken) == 2
    assert ids == {f"Message-ID: <{first.id}@{settings.SITE_HOST}>"}


def test_a_server_that_is_away_costs_tries_with_longer_and_longer_pauses(settings: Any) -> None:
    world = World.make()
    queue(world, marie(world))
    with MailServer() as server:
        server.use(settings)
    at, waits = NOON, []
    for _ in range(mailbox.MAX_ATTEMPTS):
        (claimed,) = mailbox.claim(at=at)
        mailbox.deliver(claimed, at=at)
        (row,) = rows(world)
        waits.append((row.due_at - at).total_seconds())
        at = max(row.due_at, at)

    assert row.state == "failed"
    assert row.last_error == "ConnectionRefusedError"
    assert waits[:-1] == [pause.total_seconds() for pause in mailbox.PAUSES]
    assert mailbox.claim(at=at + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("answer", "state"), [("550 no such mailbox marie@example.com", "failed"), ("451 later", "queued")]
)  # fmt: skip
def test_a_refusal_for_good_is_not_tried_again(settings: Any, answer: str, state: str) -> None:
    world = World.make()
    queue(world, marie(world))
    with MailServer() as server:
        server.use(settings)
        server.refuse = answer
        (claimed,) = mailbox.claim(at=NOON)

        assert mailbox.deliver(claimed, at=NOON) == state

    (row,) = rows(world)
    assert row.last_error == f"SMTPRecipientsRefused {answer[:3]}"
    assert (row.sent_at, server.taken) == (None, [])


def test_what_a_crash_left_behind_is_sent_later() -> None:
    world = World.make()
    queue(world, marie(world))
    mailbox.claim(at=NOON)

    early = mailbox.rescue(at=NOON + timedelta(minutes=9))
    late = mailbox.rescue(at=NOON + timedelta(minutes=11))

    assert (early, late) == (0, 1)
    assert len(send(NOON + timedelta(minutes=11))) == 1


def test_one_bad_mail_stops_no_other() -> None:
    world = World.make()
    who = marie(world)
    queue(world, who, "bad", facts={"reward_name": "x" * 70000 + "\r\nBcc: all@example.com"})
    queue(world, who, "good", kind="recover")

    assert {message.subject[:9] for message in send()} >= {"Your card"}
    assert not [header for message in mail.outbox for header in message.message() if header == "Bcc"]


def test_a_flood_of_one_merchant_makes_nobody_else_wait() -> None:
    loud, quiet = World.make(), World.make()
    who = marie(loud)
    for number in range(12):
        queue(loud, who, f"e-{number}", kind="recover")
    queue(quiet, marie(quiet), "e", kind="recover")

    first = mailbox.claim(at=NOON)

    assert quiet.merchant_id in {claimed.merchant_id for claimed in first}
    assert len(first) == mailbox.BATCH
