"""Promise 11: workers are killed in mid batch, rows are malformed, providers answer all they can; nobody is lost."""

import time
from collections import Counter
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import psycopg

from tests.drills.devices import Devices
from tests.drills.found import Budget, Finding, Rest
from tests.drills.phones import TARGET
from tests.drills.stack import Stack, until

TITLE = "workers may die"
PROMISE = 11
CARDS, LEAST_CARDS, NEIGHBOURS = 300, 40, 3
SETTLE_SECONDS, LATE_SECONDS = 150.0, 30.0
NEIGHBOUR_SECONDS, NEIGHBOUR_ROUNDS = 30.0, 3
MOST_DOUBLED = 0.001
PARTS = ("worker", "wallets", "apple", "google")
KILLS, LEAST_KILLS, PAUSE = 4, 2, 0.6
# What a worker was told of and could not write down before it was killed is sent again: that many per kill are under
# way at once, which is a batch of Apple's at this load, and the requests to Google that run side by side.
MOST_PER_KILL = {"apple": 20, "google": 10}
# Which cards meet which answer of Apple; the other ones are well.
GONE, BROKEN, LIMITED, FAILING, SILENT = range(2), range(2, 4), range(4, 10), range(10, 16), range(16, 18)
MALFORMED = ("{}", '{"card_id": "nonsense"}', '{"card_id": null}', '{"card_id": 5, "why": []}', "[]", '"x"')


@dataclass
class Came:
    """What came of one stamp on every card. doubled: by provider."""

    lost: int
    doubled: dict[str, int]
    seconds: float


@dataclass
class Round:
    """One stamp on every card of a shop; `…_out`: which cannot be reached."""

    devices: Devices
    apple_out: AbstractSet[str] = frozenset()
    google_out: AbstractSet[str] = frozenset()

    def __post_init__(self) -> None:
        self.before, self.began, self.began_at = self.devices.pushed(), time.monotonic(), time.time()

    def stamp(self, kills: int = 0) -> Self:
        """Give the stamps, and kill workers meanwhile if told to."""
        with ThreadPoolExecutor(1) as pool:
            stamping = pool.submit(self.devices.stamp_all)
            for _ in range(kills):
                time.sleep(PAUSE)
                for name in PARTS:
                    self.devices.stack.kill_child(name)
            stamping.result()
        return self

    def end(self) -> Came:
        """Wait until nothing is open, and hold what the providers took against what was given."""
        devices = self.devices
        devices.settle(SETTLE_SECONDS)
        # What a worker had in its hands when its child was killed is in no table until it is done.
        until(lambda: not self._lost(), LATE_SECONDS)
        lost, written = self._lost(), devices.written(self.began)
        doubled = {
            "apple": sum(max(0, count - 1) for count in self._pushes().values()),
            "google": sum(max(0, written[card] - 1) for card in devices.cards),
        }
        return Came(lost, doubled, devices.last_settled() - self.began_at)

    def _pushes(self) -> dict[str, int]:
        pushed = self.devices.pushed()
        return {card: pushed[card] - self.before[card] for card in self.devices.cards if card not in self.apple_out}

    def _lost(self) -> int:
        devices, shown = self.devices, self.devices.objects()
        return sum(count < 1 for count in self._pushes().values()) + sum(
            shown.get(card) != f"{devices.given[card]}/{TARGET}"
            for card in devices.cards if card not in self.google_out
        )  # fmt: skip


def drill(stack: Stack, budget: Budget) -> Rest:
    """Kill workers while they tell of one shop's stamps; then let everything answer wrongly for another shop's."""
    shops = stack.shops(3, cards=0, stamps_target=TARGET)
    mortal, devices, neighbours = (Devices(stack, shop) for shop in shops)
    count, kills = budget.count(CARDS, least=LEAST_CARDS), budget.count(KILLS, least=LEAST_KILLS)
    for each, number in ((mortal, count), (devices, count), (neighbours, NEIGHBOURS)):
        each.add(number)
    for each in (mortal, devices, neighbours):
        each.settle(SETTLE_SECONDS)

    # What the dead leave behind is found again within a minute: the faults, and other drills, come meanwhile.
    killing = Round(mortal).stamp(kills)
    faults = meet_faults(stack, devices, neighbours)
    return Rest(lambda: all_in_all(faults, after_kills(killing, kills)))


def all_in_all(*parts: Finding) -> Finding:
    """Sum up."""
    return Finding(all(part.ok for part in parts), "; ".join(part.figure for part in parts))


def after_kills(killing: Round, kills: int) -> Finding:
    """Hold what the workers that were killed, and their successors, did against what was given."""
    came, count = killing.end(), len(killing.devices.cards)
    share = sum(came.doubled.values()) / (2 * count)
    per_kill = {name: came.doubled[name] / kills for name in MOST_PER_KILL}
    ok = not (came.lost or killing.devices.refused) and all(
        per_kill[name] <= most for name, most in MOST_PER_KILL.items()
    )
    return Finding(ok, (
        f"{count} others, {kills} × {len(PARTS)} workers killed: {came.lost} lost, {share:.2%} doubled, which is "
        f"{per_kill['apple']:.1f} pushes and {per_kill['google']:.1f} writes under way per kill, "
        f"settled in {came.seconds:.0f} s"
    ))  # fmt: skip


def meet_faults(stack: Stack, devices: Devices, neighbours: Devices) -> Finding:
    """Let providers answer all they can and rows be malformed, while the neighbours go on."""
    cards = devices.cards
    hundredth = max(1, len(cards) // 100)
    malformed, unshowable = max(len(MALFORMED), hundredth), cards[-hundredth:]
    failing = make_faults(devices, cards)
    plant(stack, devices.shop.merchant_id, malformed)
    spoil(stack, unshowable)
    with ThreadPoolExecutor(1) as pool:
        next_door = pool.submit(beside_the_faults, neighbours)
        came = Round(devices, failing["gone"] | failing["broken"], frozenset(unshowable)).stamp().end()
        beside = next_door.result()

    def lasting_states() -> list[tuple[str, int]]:
        apple, google = devices.states("apple"), devices.states("google")
        return [apple[card] for card in failing["broken"]] + [google[card] for card in unshowable]

    until(lambda: set(lasting_states()) == {("failed", 3)}, LATE_SECONDS)
    lasting = lasting_states()
    kept = devices.listening() & failing["gone"]
    devices.faults({"heal": True, "goodbye_after": None}, {"share": 0.0})
    mend(stack, unshowable)
    share = sum(came.doubled.values()) / (2 * len(cards))
    ok = (
        not (came.lost or devices.refused or kept) and share <= MOST_DOUBLED
        and set(lasting) == {("failed", 3)} and beside <= NEIGHBOUR_SECONDS
    )  # fmt: skip
    return Finding(ok, (
        f"{len(cards)} cards on phones, faults of Apple and Google, {malformed} malformed rows: "
        f"{came.lost} lost, {share:.2%} doubled, {len(lasting)} lasting faults {sorted(set(lasting))}, "
        f"{len(failing['gone']) - len(kept)} of {len(failing['gone'])} gone unregistered, "
        f"a neighbour's push after {beside:.1f} s, settled in {came.seconds:.0f} s"
    ))  # fmt: skip


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
