"""Google's twenty requests a second among a thousand merchants: `python -m tests.bench.google_pace`.

Plays minutes of a platform in some seconds (see google_clockwork.py) and prints how long changes take until Google
knows them, and whether one merchant's flood makes others wait.
"""

import os
import random
import statistics
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable
from secrets import token_bytes
from typing import Any
from uuid import UUID

from tests.bench.stage import FOLDER, SETTINGS
from tests.support.servers import ROOT, Endpoint, Servers

DATABASE = "bench_google"
MERCHANTS, CARDS = 1_000, 40
SAVE, REDEEM, STAMP, BULK = range(4)
CALM, SECONDS = 10.0, 120
FLOOD, FLOOD_AT = 1_000, 30.0


def main() -> int:
    """Start the servers and play in a process that knows them; its status is ours."""
    if len(sys.argv) > 1:
        return _play(sys.argv[1])
    FOLDER.mkdir(parents=True, exist_ok=True)
    servers = Servers(FOLDER, SETTINGS)
    try:
        endpoint = servers.start()
        endpoint.copy_template(DATABASE)
        env = _environment(endpoint)
        command = [sys.executable, "-m", "tests.bench.google_pace", endpoint.superuser(DATABASE)]
        status = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
        endpoint.drop_database(DATABASE)
        return status
    finally:
        servers.stop()


def _environment(endpoint: Endpoint) -> dict[str, str]:
    key = urlsafe_b64encode(token_bytes(32)).decode()
    return {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production",
        **endpoint.environment(DATABASE), "SECRET_KEY": key, "LOYALTY_PIN_PEPPERS": key, "LOYALTY_DATA_KEYS": key,
        "EMAIL_URL": "dummymail://", "SITE_URL": "http://127.0.0.1:1", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip


def _play(superuser: str) -> int:
    """Play each scene on an empty queue."""
    import django

    django.setup()
    import psycopg
    from django.conf import settings

    from core.outbox import connect
    from tests.bench.google_clockwork import Change, Clockwork
    from wallets.providers.google import pace

    print(f"{MERCHANTS} merchants of {CARDS} cards; one request every {pace.GAP_MICROSECONDS / 1000:.1f} ms at most")
    print(f"{settings.LOYALTY_GOOGLE_API_BASE} is not asked; delays in seconds from a change until Google knows it\n")
    with psycopg.connect(superuser, autocommit=True) as database:
        # The queue's rows stand alone here: no merchants, cards and passes behind them.
        database.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for title, make in SCENES.items():
            database.execute("TRUNCATE wallets_passupdate")
            clockwork = Clockwork(database, connect(timeout=5))
            clockwork.run([Change(*one) for one in make(Shops(random.Random(7)))])
            _print(title, clockwork)
    return 0


class Shops:
    """Merchants and their cards; changes as (second, merchant, card, priority)."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.merchants = [UUID(int=chance.getrandbits(128)) for _ in range(MERCHANTS)]
        self.flooded = UUID(int=chance.getrandbits(128))

    def card(self, merchant: UUID, number: int) -> UUID:
        """Return a card of a merchant."""
        return UUID(int=merchant.int ^ (number + 1))

    def stamps(self, rate: float, seconds: float, *, priority: int = STAMP) -> list[tuple[Any, ...]]:
        """Return changes at a rate, at whichever cards."""
        found, at = [], 0.0
        while (at := at + self.chance.expovariate(rate)) < seconds:
            merchant = self.chance.choice(self.merchants)
            found.append((at, merchant, self.card(merchant, self.chance.randrange(CARDS)), priority))
        return found

    def flood(self, priority: int) -> list[tuple[Any, ...]]:
        """Return a merchant's flood: all its cards at one moment."""
        return [(FLOOD_AT, self.flooded, self.card(self.flooded, number), priority) for number in range(FLOOD)]


SCENES: dict[str, Callable[[Shops], list[tuple[Any, ...]]]] = {
    "10 stamps/s": lambda shops: shops.stamps(CALM, SECONDS),
    "17 stamps/s": lambda shops: shops.stamps(17, SECONDS),
    "10 stamps/s and a program with 1,000 cards changes": lambda shops: [
        *shops.stamps(CALM, SECONDS), *shops.flood(BULK),
    ],
    "10 stamps/s and one merchant stamps 1,000 cards at once": lambda shops: [
        *shops.stamps(CALM, SECONDS), *shops.flood(STAMP),
    ],
    "40 stamps/s for a minute (more than Google allows), 1 save/s": lambda shops: [
        *shops.stamps(40, 60), *shops.stamps(1, 60, priority=SAVE),
    ],
}  # fmt: skip


def _print(title: str, clockwork: Any) -> None:
    """Print delays by what changed, the longest of a merchant, and how evenly merchants were treated."""
    flooded = max((one.change.merchant for one in clockwork.told), key=_counted(clockwork.told).__getitem__)
    groups: dict[str, list[float]] = defaultdict(list)
    for one in clockwork.told:
        flood = one.change.at == FLOOD_AT and one.change.merchant == flooded
        groups["the flood" if flood else ("saves", "redemptions", "stamps", "bulk")[one.change.priority]].append(
            one.seconds
        )
    print(title)
    for name, delays in groups.items():
        ordered = sorted(delays)
        print(
            f"  {name:12}{len(ordered):6}  p50 {_at(ordered, 50):7.2f}  p95 {_at(ordered, 95):7.2f}  "
            f"max {ordered[-1]:7.2f}"
        )
    means = _means(clockwork.told)
    print(
        f"  per merchant       mean delay p50 {_at(means, 50):.2f}, p95 {_at(means, 95):.2f}, max {means[-1]:.2f}; "
        f"fairness {_jain(means):.3f}"
    )
    asked = clockwork.requests
    print(f"  requests     {len(asked):6}  in {max(asked):.0f} s, {_most(asked)} in the fullest second\n", flush=True)


def _counted(told: list[Any]) -> dict[UUID, int]:
    counts: dict[UUID, int] = defaultdict(int)
    for one in told:
        counts[one.change.merchant] += 1
    return counts


def _means(told: list[Any]) -> list[float]:
    """Return the mean delay of stamps of each merchant, the flooding one's among them, in order."""
    delays: dict[UUID, list[float]] = defaultdict(list)
    for one in told:
        if one.change.priority == STAMP:
            delays[one.change.merchant].append(one.seconds)
    return sorted(statistics.fmean(group) for group in delays.values())


def _jain(values: list[float]) -> float:
    """Return Jain's index: 1 when everybody has the same, 1/n when one has it all."""
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def _at(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _most(times: list[float]) -> int:
    """Return the most requests within one second."""
    ordered, first, most = sorted(times), 0, 0
    for last, at in enumerate(ordered):
        while ordered[first] <= at - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


if __name__ == "__main__":
    sys.exit(main())
