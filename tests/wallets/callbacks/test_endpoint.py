"""POST google/callback over HTTP: what Google signed counts once, everything else changes nothing (rule 26)."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.models import OutboxEvent
from loyalty.models import Card
from tests.fakes.google_signer import KeyServer, Signer
from tests.support.api import assert_problem
from tests.support.world import World
from wallets.models import GoogleCallback, GoogleClass, GooglePass
from wallets.providers.google import root_keys
from wallets.services import callbacks, passes

URL = "/api/v1/loyalty/google/callback"
ISSUER = "3388000000012345678"
BAD = "validation_error"


class Mailbox:
    """A card at Google, and Google that reports of it."""

    def __init__(self, world: World, google: Signer, keys: KeyServer) -> None:
        self.world, self.google, self.keys = world, google, keys
        self.card: Card = world.card()
        with tenancy.scope(world.merchant_id):
            self.name = passes.google(self.card.pk).object_id
            self.class_id = passes.google_class(world.program.pk, world.at).class_id

    def message(self, event: str, **changes: Any) -> bytes:
        return self.google.message(event, self.name, **{"classId": self.class_id, **changes})

    def says(self, event: str, **changes: Any) -> Any:
        return post(self.message(event, **changes))

    @property
    def row(self) -> GooglePass:
        with tenancy.scope(self.world.merchant_id):
            return GooglePass.objects.get(card_id=self.card.pk)

    def messages(self) -> list[GoogleCallback]:
        with tenancy.scope(self.world.merchant_id):
            return list(GoogleCallback.objects.order_by("received_at", "id"))

    def events(self, topic: str) -> int:
        with tenancy.scope(self.world.merchant_id):
            return OutboxEvent.objects.filter(topic=topic).count()


def post(body: bytes, content_type: str = "application/json", **how: Any) -> Any:
    return Client(enforce_csrf_checks=True).post(URL, body, content_type=content_type, **how)


def ends(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@pytest.fixture
def mailbox(db: None, settings: Any) -> Iterator[Mailbox]:
    settings.LOYALTY_GOOGLE_ISSUER_ID = ISSUER
    root_keys.forget()
    google = Signer(ISSUER, timezone.now())
    with KeyServer(google) as keys:
        settings.LOYALTY_GOOGLE_CALLBACK_KEYS_URL = keys.url
        yield Mailbox(World.make(), google, keys)
    root_keys.forget()


def test_before_the_first_message_nothing_is_saved(mailbox: Mailbox) -> None:
    assert (mailbox.row.saved, mailbox.row.saved_at) == (False, None)


def test_a_save_and_a_removal_are_noted_and_recorded(mailbox: Mailbox) -> None:
    before = timezone.now()

    assert mailbox.says("save", nonce="n-1").status_code == 200
    assert mailbox.row.saved
    assert mailbox.row.saved_at is not None
    assert mailbox.row.saved_at >= before
    assert mailbox.says("del", nonce="n-2", expTimeMillis=ends(before + timedelta(hours=2))).status_code == 200

    assert (mailbox.row.saved, mailbox.row.saved_at) == (False, None)
    assert [(row.nonce, row.event) for row in mailbox.messages()] == [("n-1", "save"), ("n-2", "del")]
    assert mailbox.events("wallets.google_reported") == 2, "a message may be late, others may hold it: Google is asked"


def test_a_repeated_nonce_is_answered_200_and_has_no_effect(mailbox: Mailbox) -> None:
    body = mailbox.message("save", nonce="once")
    assert post(body).status_code == 200
    later = ends(timezone.now() + timedelta(hours=2))
    assert mailbox.says("del", nonce="other", expTimeMillis=later).status_code == 200

    for _ in range(3):
        assert post(body).status_code == 200

    assert not mailbox.row.saved
    assert len(mailbox.messages()) == 2
    assert mailbox.events("wallets.google_reported") == 2


def test_a_nonce_counts_once_for_all_merchants(mailbox: Mailbox) -> None:
    other = Mailbox(World.make(), mailbox.google, mailbox.keys)
    assert mailbox.says("save", nonce="shared").status_code == 200

    assert other.says("save", nonce="shared").status_code == 200

    assert not other.row.saved


@pytest.mark.parametrize("event", ["save", "del"])
def test_messages_count_in_the_order_of_their_arrival_whenever_they_end(mailbox: Mailbox, event: str) -> None:
    """When a message ends says nothing of when it was sent: a long life must not silence all that follow."""
    now, before = timezone.now(), "del" if event == "save" else "save"
    assert mailbox.says(before, expTimeMillis=ends(now + timedelta(days=29))).status_code == 200
    assert mailbox.says(event, expTimeMillis=ends(now + timedelta(minutes=1))).status_code == 200

    assert mailbox.row.saved is (event == "save")
    assert len(mailbox.messages()) == 2


def test_a_message_that_ends_in_a_far_future_is_refused(mailbox: Mailbox) -> None:
    now = timezone.now()

    assert_problem(mailbox.says("save", expTimeMillis=ends(now + timedelta(days=30, minutes=1))), 400, BAD)
    assert mailbox.messages() == []
    assert mailbox.says("save", expTimeMillis=ends(now + timedelta(days=29, hours=23))).status_code == 200


def test_a_message_about_another_class_than_the_objects_is_refused(mailbox: Mailbox) -> None:
    other = Mailbox(World.make(), mailbox.google, mailbox.keys)

    for name in (other.class_id, f"{ISSUER}.pNone"):
        assert_problem(mailbox.says("save", classId=name), 400, BAD)

    assert not mailbox.row.saved
    assert mailbox.messages() == []


def test_an_object_whose_class_was_never_made_is_nobodys(mailbox: Mailbox) -> None:
    with tenancy.scope(mailbox.world.merchant_id):
        GoogleClass.objects.all().delete()

    assert_problem(mailbox.says("save"), 400, BAD)
    assert not mailbox.row.saved


def test_an_object_that_we_do_not_know_is_answered_200_so_that_google_gives_up(mailbox: Mailbox) -> None:
    answer = post(mailbox.google.message("save", f"{ISSUER}.cNobody"))

    assert answer.status_code == 200
    assert mailbox.messages() == []


def test_what_google_did_not_sign_for_us_is_refused_and_changes_nothing(mailbox: Mailbox) -> None:
    google, text = mailbox.google, mailbox.google.says("save", mailbox.name, classId=mailbox.class_id)
    stranger = Signer(ISSUER, timezone.now())
    for bad in (
        google.envelope(text, recipient="999"), google.envelope(text, sender="GoogleWalletPasses"),
        stranger.envelope(text), {**google.envelope(text), "signature": ""}, {}, [], "save",
    ):  # fmt: skip
        assert_problem(post(json.dumps(bad).encode()), 400, "validation_error")
    for raw in (b"", b"{", b"\xff", b"[" * 9000):
        assert_problem(post(raw), 400, "validation_error")

    assert not mailbox.row.saved
    assert mailbox.messages() == []
    assert mailbox.keys.asked == 1


def test_an_oversized_body_is_refused_before_it_is_read_whole(mailbox: Mailbox) -> None:
    assert_problem(post(b"x" * 20_000), 413, "request_too_large")
    assert_problem(post(b"x" * 5_000_000), 413, "request_too_large")
    assert mailbox.keys.asked == 0


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream", ""])
def test_the_content_type_does_not_matter(mailbox: Mailbox, kind: str) -> None:
    answer = post(mailbox.message("save"), kind, headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert mailbox.row.saved


def test_without_root_keys_google_is_told_to_come_back(mailbox: Mailbox) -> None:
    mailbox.keys.status = 503

    answer = mailbox.says("save")

    assert_problem(answer, 503, "service_unavailable")
    assert answer["Retry-After"] == "60"
    assert not mailbox.row.saved


def test_without_an_issuer_there_is_no_such_address(mailbox: Mailbox, settings: Any) -> None:
    settings.LOYALTY_GOOGLE_ISSUER_ID = ""

    assert_problem(mailbox.says("save"), 404, "not_found")


def test_it_takes_posts_only(db: None) -> None:
    assert Client().get(URL).status_code == 405


def test_a_flood_of_one_address_is_held_off(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallets.api.google.MOST", 2)

    statuses = [post(b"{}").status_code for _ in range(3)]

    assert statuses == [400, 400, 429]


def test_refusals_are_logged_without_what_was_sent(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        post(json.dumps(mailbox.google.envelope("secret-text")).encode())

    assert "none of google's" in caplog.text
    assert "secret-text" not in caplog.text


def test_old_messages_are_deleted_when_their_nonce_cannot_come_again(mailbox: Mailbox) -> None:
    mailbox.says("save", nonce="kept")
    [row] = mailbox.messages()

    assert callbacks.purge(at=row.expires_at + callbacks.MARGIN - timedelta(seconds=1)) == 0
    assert callbacks.purge(at=row.expires_at + callbacks.MARGIN + timedelta(seconds=1)) == 1

    assert mailbox.messages() == []
