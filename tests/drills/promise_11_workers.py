"""Promise 11: workers are killed in mid batch, rows are malformed, providers answer all they can; nobody is lost."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.drills.devices import Devices
from tests.drills.found import Budget, Finding
from tests.drills.phones import TARGET
from tests.drills.stack import Stack, until

TITLE = "workers may die"
PROMISE = 11
CARDS, LEAST_CARDS, NEIGHBOURS = 400, 100, 3
SETTLE_SECONDS = 150.0
NEIGHBOUR_SECONDS, NEIGHBOUR_ROUNDS = 15.0, 3
MOST_DOUBLED = 0.001
PARTS = ("worker", "wallets", "apple", "google")
KILLS, PAUSE = 4, 0.7
# Which cards meet which answer of Apple; the other ones are well.
GONE, BROKEN, LIMITED, FAILING, SILENT = range(2), range(2, 4), range(4, 10), range(10, 16), range(16, 18)
MALFORMED = ("{}", '{"card_id": "nonsense"}', '{"card_id": null}', '{"card_id": 5, "why": []}', "[]", '"x"')


@dataclass
class Round:
    """One stamp on every card, and what came of it. doubled: by provider."""

    lost: int
    doubled: dict[str, int]
    seconds: float


def drill(stack: Stack, budget: Budget) -> Finding:
    """Two rounds of stamps: one while everything answers wrongly, one while workers are killed."""
    shop, other = stack.shops(2, cards=0, stamps_target=TARGET)
    devices, neighbours = Devices(stack, shop), Devices(stack, other)
    devices.add(budget.count(CARDS, least=LEAST_CARDS))
    neighbours.add(NEIGHBOURS)
    devices.settle(SETTLE_SECONDS)
    neighbours.settle(SETTLE_SECONDS)

    cards = devices.cards
    failing = make_faults(devices, cards)
    malformed = max(len(MALFORMED), len(cards) // 100)
    plant(stack, shop.merchant_id, malformed)
    unshowable = cards[-max(1, len(cards) // 100) :]
    spoil(stack, unshowable)
    with ThreadPoolExecutor(1) as pool:
        next_door = pool.submit(beside_the_faults, neighbours)
        faulty = one_round(devices, apple_out={*failing["gone"], *failing["broken"]}, google_out=set(unshowable))
        beside = next_door.result()
    apple, google = devices.states("apple"), devices.states("google")
    lasting = [apple[card] for card in failing["broken"]] + [google[card] for card in unshowable]
    kept = devices.listening() & failing["gone"]

    devices.faults({"heal": True, "goodbye_after": None}, {"share": 0.0})
    mend(stack, unshowable)
    killed = one_round(devices, apple_out=failing["gone"], google_out=set(), kills=KILLS)
    stack.wait_until_healthy()

    total = 2 * len(cards)
    share = sum(faulty.doubled.values()) / total
    ok = (
        faulty.lost == killed.lost == 0 and share <= MOST_DOUBLED and not devices.refused and not kept
        and set(lasting) == {("failed", 3)} and beside <= NEIGHBOUR_SECONDS
    )  # fmt: skip
    figure = (
        f"{len(cards)} cards on phones: faults of Apple and Google and {malformed} malformed rows: "
        f"{faulty.lost} lost, {share:.2%} doubled {faulty.doubled}, "
        f"{len(lasting)} lasting faults {sorted(set(lasting))}, "
        f"{len(failing['gone']) - len(kept)} of {len(failing['gone'])} gone unregistered, "
        f"a neighbour's push after {beside:.1f} s, settled in {faulty.seconds:.0f} s; "
        f"{KILLS} × {len(PARTS)} workers killed: {killed.lost} lost, "
        f"{sum(killed.doubled.values()) / total:.2%} doubled {killed.doubled}, settled in {killed.seconds:.0f} s"
    )
    return Finding(ok, figure)


def make_faults(devices: Devices, cards: list[str]) -> dict[str, set[str]]:
    """Let Apple answer some devices 410, 413, 429, 500 or nothing, and leave now and then; Google fails one in five."""
    since = int((time.time() + 86_400) * 1000)
    answers: list[dict[str, Any]] = []

    def answer(places: range, status: int, reason: str = "", **how: Any) -> set[str]:
        chosen = {cards[place] for place in places}
        answers.extend({"token": devices.token[card], "status": status, "reason": reason, **how} for card in chosen)
        return chosen

    gone = answer(GONE, 410, "Unregistered", timestamp=since)
    broken = answer(BROKEN, 413, "PayloadTooLarge")
    answer(LIMITED, 429, "TooManyRequests", times=1)
    answer(FAILING, 500, "InternalServerError", times=2)
    answer(SILENT, 200, silent=True, times=1)
    devices.faults({"answers": answers, "goodbye_after": 40}, {"share": 0.2, "statuses": [429, 500, 502, 503]})
    return {"gone": gone, "broken": broken}


def plant(stack: Stack, merchant_id: str, count: int) -> None:
    """Write events of the outbox that no task can read."""
    with psycopg.connect(stack.superuser_dsn, autocommit=True) as line:
        for number in range(count):
            topic = "card.changed" if number % 4 else "no.such_topic"
            line.execute(
                "INSERT INTO core_outboxevent (merchant_id, topic, payload, state, attempts, last_error, created_at) "
                "VALUES (%s, %s, %s::jsonb, 'queued', 0, '', now())",
                [merchant_id, topic, MALFORMED[number % len(MALFORMED)]],
            )


def spoil(stack: Stack, cards: list[str]) -> None:
    """Make what we remember of cards at Google unreadable, so that they cannot be shown."""
    _remember(stack, "'\"nonsense\"'::jsonb", cards)


def mend(stack: Stack, cards: list[str]) -> None:
    """Let us remember nothing, which is always right."""
    _remember(stack, "'{}'::jsonb", cards)


def _remember(stack: Stack, value: str, cards: list[str]) -> None:
    with psycopg.connect(stack.superuser_dsn, autocommit=True) as line:
        line.execute(f"UPDATE wallets_googlepass SET accepted = {value} WHERE card_id = ANY (%s::uuid[])", [cards])  # type: ignore[arg-type]


def beside_the_faults(neighbours: Devices) -> float:
    """Stamp at the neighbour's while the faults are met; returns how long its pushes took at most."""
    slowest = 0.0
    for _ in range(NEIGHBOUR_ROUNDS):
        time.sleep(1)
        before, began = neighbours.pushed(), time.monotonic()
        neighbours.stamp_all()
        until(lambda before=before: _all_pushed(neighbours, before), 2 * NEIGHBOUR_SECONDS)
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def _all_pushed(devices: Devices, before: Counter[str]) -> bool:
    pushed = devices.pushed()
    return all(pushed[card] > before[card] for card in devices.cards)


def one_round(devices: Devices, *, apple_out: set[str], google_out: set[str], kills: int = 0) -> Round:
    """Give every card a stamp, kill meanwhile if told to, and wait until nothing is open; `…_out` cannot be reached."""
    before, began = devices.pushed(), time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        stamping = pool.submit(devices.stamp_all)
        for _ in range(kills):
            time.sleep(PAUSE)
            for name in PARTS:
                devices.stack.kill_child(name)
        stamping.result()
    devices.settle(SETTLE_SECONDS)
    took = time.monotonic() - began
    pushed, shown, written = devices.pushed(), devices.objects(), devices.written(began)
    times = {card: pushed[card] - before[card] for card in devices.cards if card not in apple_out}
    lost = sum(count < 1 for count in times.values())
    lost += sum(
        shown.get(card) != f"{devices.given[card]}/{TARGET}" for card in devices.cards if card not in google_out
    )
    doubled = {
        "apple": sum(max(0, count - 1) for count in times.values()),
        "google": sum(max(0, written[card] - 1) for card in devices.cards),
    }
    return Round(lost, doubled, took)
