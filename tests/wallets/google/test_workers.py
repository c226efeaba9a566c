"""Several workers at once, with real commits: no update is lost or sent twice at a time, and the pace is one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from tests.fakes.google import FakeGoogle
from tests.support.world import World
from tests.wallets.google.desk import balance, changed, row_of, update_of
from wallets.services import google_push

WORKERS, CARDS, ROUNDS = 3, 8, 3


def test_pitfall_42_workers_share_the_work_while_cards_change(real_db: Any, google: FakeGoogle) -> None:
    world = World.make()
    cards = [world.card() for _ in range(CARDS)]
    google.faults.latency = 0.03

    def work() -> None:
        try:
            google_push.drain(at=world.at)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(ROUNDS):
            running = [pool.submit(work) for _ in range(WORKERS)]
            for card in cards:
                world.stamp(card)
                changed(world, card)
            for one in running:
                one.result()
    google_push.drain(at=world.tick(seconds=10))

    assert [balance(google, world, card) for card in cards] == [f"{ROUNDS}/10"] * CARDS
    assert {update_of(world, card).state for card in cards} == {"sent"}
    assert {row_of(world, card).behind_since for card in cards} == {None}
    assert (len(google.shelf.classes), len(google.shelf.objects)) == (1, CARDS)
    assert google.peak() <= 20
    assert len(google.calls()) <= CARDS * (ROUNDS + 1) + 4
