"""The same reports at one and at ten times the ledger rows: `python -m tests.bench.reports`.

Both sizes have the same merchants with the same shares; the biggest, with half of the rows, is looked at. Views go in
turns between the sizes, so that both meet the same machine. Every thread of the web processes has shown the page
before; how long the very first view takes is told beside it. Before each view something changes: a stamp is given, what
is new is counted as the worker does it, and the minute for which the platform's days are kept is over; in one row of
the table there is another stamp after that, which the page has to count. Then, at the bigger size, tills stamp at a
rate while the worker counts every 20 seconds, and it is measured how late the counts are.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from tests.bench import clients
from tests.bench.clients import Target
from tests.bench.report_stage import ReportStage
from tests.support.servers import ROOT

ROWS = int(os.environ.get("BENCH_REPORT_ROWS", "1000000"))
TIMES = 10
ROUNDS = int(os.environ.get("BENCH_REPORT_ROUNDS", "20"))
LOAD_SECONDS = float(os.environ.get("BENCH_REPORT_LOAD_SECONDS", "90"))
LOAD_RATE, ROWS_A_CARD, EVERY = 50, 10, 20.0
WANTED_RATIO, WANTED_MS, WANTED_LAG = 1.3, 50.0, 60.0
THREADS, WARM_VIEWS = 16, 160
UNCOUNTED = "the same, uncounted"
# Below this both times are noise, and their ratio too.
SLACK_MS = 3.0


@dataclass
class Seat:
    """Somebody who looks at one size: connections, cookies, and the worker's process."""

    stage: ReportStage
    times: dict[str, list[float]] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    counts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.visitors", str(self.stage.facts["merchant"])]
        self.helper = subprocess.Popen(
            command, cwd=ROOT, env=self.stage.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.cookies = self.ask("people")
        self.line = HTTPConnection("127.0.0.1", self.stage.port, timeout=60)
        self.key = {"Authorization": f"Bearer {self.stage.api_key}"}
        self.cards = self.stage.cards_of_the_merchant()
        self.store = self.json("/api/v1/merchant/stores")["results"][0]["code"]

    def ask(self, what: str) -> Any:
        """Have the process inside of the product do something."""
        assert self.helper.stdin is not None
        assert self.helper.stdout is not None
        self.helper.stdin.write(f"{what}\n")
        self.helper.stdin.flush()
        return json.loads(self.helper.stdout.readline())

    def get(self, path: str, headers: dict[str, str]) -> tuple[float, bytes]:
        """Look at an address; returns the milliseconds and the answer."""
        began = time.perf_counter()
        self.line.request("GET", path, headers=headers)
        answer = self.line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:300]!r}")
        return (time.perf_counter() - began) * 1000, body

    def warm(self, path: str, headers: dict[str, str]) -> None:
        """Look at an address so often at once that every thread of every process has shown it."""

        def look(_number: int) -> int:
            line = HTTPConnection("127.0.0.1", self.stage.port, timeout=60)
            line.request("GET", path, headers=headers)
            answer = line.getresponse()
            answer.read()
            line.close()
            return answer.status

        with ThreadPoolExecutor(THREADS) as pool:
            seen = set(pool.map(look, range(WARM_VIEWS)))
        if seen != {200}:
            raise RuntimeError(f"{path} answered {seen}")

    def json(self, path: str) -> Any:
        """Return what the API answers the merchant's key."""
        return json.loads(self.get(path, self.key)[1])

    def stamp(self) -> None:
        """Give a stamp."""
        headers = {**self.key, "Content-Type": "application/json", "Idempotency-Key": f"report-{uuid4()}"}
        body = json.dumps({"card_id": self.cards.pop(), "confirm": True})
        self.line.request("POST", "/api/v1/store/loyalty/stamp", body, headers)
        answer = self.line.getresponse()
        if answer.status != 201:
            raise RuntimeError(f"a stamp was refused: {answer.read()[:300]!r}")
        answer.read()

    def change(self) -> None:
        """Let something happen that the next look has to show."""
        # The server may have closed a connection that was idle meanwhile; the next request opens a new one.
        self.line.close()
        self.stamp()
        self.counts.append(self.ask("count"))
        self.ask("expire")
        self.line.close()

    def change_uncounted(self) -> None:
        """Let something happen after the worker counted."""
        self.change()
        self.stamp()
        self.line.close()

    def close(self) -> None:
        """End the process."""
        self.helper.communicate()

    def reports(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Return the reports: address and who looks."""
        owner, admin = ({"Cookie": self.cookies[name]} for name in ("owner", "admin"))
        here = f"/store/{self.store}/loyalty"
        return {
            "statistics, 4 weeks": (f"{here}/stats?days=28&stores=all", owner),
            UNCOUNTED: (f"{here}/stats?days=28&stores=all", owner),
            "statistics, a year": (f"{here}/stats?days=365&stores=all", owner),
            "statistics, one store": (f"{here}/stats?days=28", owner),
            "API: analytics": ("/api/v1/merchant/analytics", self.key),
            "API: figures": ("/api/v1/store/loyalty/stats", self.key),
            "home": (f"{here}/", owner),
            "cards": (f"{here}/cards", owner),
            "API: customers": ("/api/v1/merchant/customers", self.key),
            "platform: analytics": ("/admin/loyalty/analytics", admin),
            "API: platform": ("/api/v1/admin/loyalty/stats", admin),
        }


def main() -> int:
    """Measure; the exit status says whether ratio, time and lag are as wanted and the counts exact."""
    with ExitStack() as stack:
        seats = []
        for rows in (ROWS, ROWS * TIMES):
            stage = stack.enter_context(ReportStage(max(1, rows // ROWS_A_CARD), rows))
            seats.append(Seat(stage))
            stack.callback(seats[-1].close)
        print(f"{ROUNDS} views of each, each after a change; the merchant has half of all rows\n", flush=True)
        for name in seats[0].reports():
            _look(seats, name)
        fine = _report(seats)
        lag = _lag(seats[1])
        print(f"\ncounting         {statistics.median(seats[0].counts):.2f} s and "
              f"{statistics.median(seats[1].counts):.2f} s (median) for what the worker does every 20 s")  # fmt: skip
        print(f"lag of rollups   {lag:.1f} s at most, at {LOAD_RATE} stamps/s and {ROWS * TIMES} rows "
              f"(wanted: {WANTED_LAG:.0f})")  # fmt: skip
        for seat in seats:
            print(f"rollups          {seat.stage.manage('rebuild_rollups', '--check').splitlines()[-1]}", flush=True)
    return 0 if fine and lag <= WANTED_LAG else 1


def _look(seats: list[Seat], name: str) -> None:
    for number in range(ROUNDS + 1):
        for seat in seats:
            path, headers = seat.reports()[name]
            if name == UNCOUNTED:
                seat.change_uncounted()
            else:
                seat.change()
            took, _body = seat.get(path, headers)
            if number:
                seat.times.setdefault(name, []).append(took)
            else:
                seat.first[name] = took
                seat.warm(path, headers)


def _report(seats: list[Seat]) -> bool:
    fine = True
    print(f"{'report':24}{f'{ROWS} rows':>22}{f'{ROWS * TIMES} rows':>22}{'ratio':>8}   the very first view")
    for name in seats[0].times:
        small, large = (sorted(seat.times[name]) for seat in seats)
        (mid, high), (large_mid, large_high) = _both(small), _both(large)
        ratio = large_mid / mid
        ok = (ratio <= WANTED_RATIO or large_mid - mid <= SLACK_MS) and max(high, large_high) <= WANTED_MS
        fine = fine and ok
        print(
            f"{name:24}{mid:8.1f} / {high:6.1f} ms {large_mid:8.1f} / {large_high:6.1f} ms{ratio:8.2f}   "
            f"{seats[0].first[name]:6.0f} and {seats[1].first[name]:6.0f} ms{'' if ok else '   !'}",
            flush=True,
        )
    print(f"(p50 / p95; wanted: ratio ≤ {WANTED_RATIO}, p95 ≤ {WANTED_MS:.0f} ms)")
    return fine


def _both(times: list[float]) -> tuple[float, float]:
    return times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.95))]


def _lag(seat: Seat) -> float:
    """Stamp at a rate, count every 20 seconds, and look which of the stamps are counted; returns the greatest age."""
    target = Target("127.0.0.1", seat.stage.port, seat.stage.api_key, tuple(seat.cards))
    before = seat.ask("state")
    began = time.monotonic()
    done: list[clients.Measured] = []
    load = threading.Thread(
        target=lambda: done.append(clients.run(target, connections=8, seconds=LOAD_SECONDS, rate=LOAD_RATE))
    )
    load.start()
    worst = _watch(seat, before, began, load.is_alive)
    load.join()
    given = done[0].statuses[201]
    print(f"\nunder load       {given} stamps, p99 {done[0].percentile(99):.0f} ms")
    return worst


def _watch(seat: Seat, before: int, began: float, goes_on: Callable[[], bool]) -> float:
    """Return how old the oldest stamp grew that was given and not counted: just before each count had its effect."""
    worst, counted_until = 0.0, began
    while goes_on():
        asked = time.monotonic()
        seat.ask("count")
        now = time.monotonic()
        worst = max(worst, now - counted_until)
        # Clients take a moment to start; the stamps counted by now say until when they were given at the latest.
        counted_until = max(counted_until, began + (seat.ask("state") - before) / LOAD_RATE)
        time.sleep(max(0.0, EVERY - (time.monotonic() - asked)))
    return worst


if __name__ == "__main__":
    sys.exit(main())
