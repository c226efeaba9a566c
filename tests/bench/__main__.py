"""Runs the rounds in turns and prints the ratio, the times, the processor's share and the round trips of a stamp."""

import os
import statistics
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.bench import clients, plain
from tests.bench.clients import Measured, Target
from tests.bench.plain import Plain
from tests.bench.stage import Stage
from tests.support.servers import ROOT

CARDS = int(os.environ.get("BENCH_CARDS", "100000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Round:
    """A round of each, and the milliseconds of processor that one stamp cost the web processes and PostgreSQL."""

    http: Measured
    web_cpu: float
    database_cpu: float
    sql: Plain
    sql_cpu: float


def main() -> int:
    """Measure; the exit status says whether every stamp was given and the ledger still adds up."""
    with Stage(CARDS, CARDS * 10) as stage:
        cards = stage.cards_of_the_merchant()
        half = len(cards) // 2
        stage.number_cards(cards[half:])
        script = stage.folder / "stamp.sql"
        plain.write_script(script, cards=len(cards) - half, **stage.facts)
        target = Target("127.0.0.1", stage.port, stage.api_key, tuple(cards[:half]))
        print(f"{CONNECTIONS} connections of HTTP, {plain.CLIENTS} of pgbench; {ROUNDS} rounds of {SECONDS:.0f} s each")
        clients.run(target, connections=CONNECTIONS, seconds=2)
        rounds = [_round(stage, target, script, number) for number in range(1, ROUNDS + 1)]
        rate = statistics.median(item.http.rate for item in rounds)
        calm = [clients.run(target, connections=CONNECTIONS, seconds=SECONDS, rate=rate / 2) for _ in rounds]
        _report(rounds, calm)
        print(_round_trips(stage, cards[0]))
        print(f"verify_ledger: {stage.manage('verify_ledger')}")
    statuses = sum((item.statuses for item in [*(each.http for each in rounds), *calm]), Counter[int]())
    failed = {status: count for status, count in statuses.items() if status != 201}
    if failed:
        print(f"Some stamps were not given: {failed}")
    return 1 if failed else 0


def _round(stage: Stage, target: Target, script: Path, number: int) -> Round:
    web, database = stage.web_cpu(), stage.database_cpu()
    http = clients.run(target, connections=CONNECTIONS, seconds=SECONDS)
    web, database = stage.web_cpu() - web, stage.database_cpu() - database
    before = stage.database_cpu()
    sql = plain.run(script, stage.endpoint.app("bench"), seconds=SECONDS)
    sql_cpu = stage.database_cpu() - before
    count = max(1, sum(http.statuses.values()))
    found = Round(http, web / count * 1000, database / count * 1000, sql, sql_cpu / max(1, sql.count) * 1000)
    print(
        f"  {number}: HTTP {http.rate:7.0f}/s  p50 {http.percentile(50):5.1f} ms  p99 {http.percentile(99):6.1f} ms   "
        f"SQL {sql.rate:7.0f}/s  {sql.milliseconds:5.1f} ms   ratio {http.rate / sql.rate:.3f}",
        flush=True,
    )
    return found


def _report(rounds: list[Round], calm: list[Measured]) -> None:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    ratio = median([item.http.rate / item.sql.rate for item in rounds])
    print(f"\nratio            {ratio:.3f}  (median of the rounds; wanted: 0.15, then 0.35, in the end 0.50)")
    print(f"HTTP             {median([item.http.rate for item in rounds]):.0f} stamps/s")
    print(f"plain SQL        {median([item.sql.rate for item in rounds]):.0f} stamps/s")
    print(
        f"full load        p50 {median([item.http.percentile(50) for item in rounds]):.1f} ms, "
        f"p99 {median([item.http.percentile(99) for item in rounds]):.1f} ms"
    )
    tails = [item.percentile(99) for item in calm]
    print(
        f"half load        p50 {median([item.percentile(50) for item in calm]):.1f} ms, p99 {median(tails):.1f} ms "
        f"at {median([item.rate for item in calm]):.0f}/s  (p99 of each: {', '.join(f'{tail:.1f}' for tail in tails)})"
    )
    print(
        f"processor        {median([item.web_cpu for item in rounds]):.2f} ms web + "
        f"{median([item.database_cpu for item in rounds]):.2f} ms PostgreSQL a stamp; "
        f"plain SQL {median([item.sql_cpu for item in rounds]):.2f} ms PostgreSQL"
    )


def _round_trips(stage: Stage, card: str) -> str:
    """Count the round trips of a warm stamp in a process of its own, with the product's settings."""
    command = [sys.executable, "-m", "tests.bench.trips", stage.api_key, card, f"127.0.0.1:{stage.port}"]
    done = subprocess.run(command, cwd=ROOT, env=stage.env, capture_output=True, text=True, check=False)
    return done.stdout.strip() or f"round trips could not be counted:\n{done.stderr[-2000:]}"


if __name__ == "__main__":
    sys.exit(main())
