"""A migration of the expanding kind while the tills go on: docs/operations.md says how, and no stamp may fail."""

import itertools
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.drills.found import Budget, Finding
from tests.drills.stack import Shop, Stack

PROMISE, TITLE = 0, "a migration stops no till"
TILLS = 4
LONGEST_SECONDS, MIGRATE_SECONDS, REPORT_SECONDS, ANSWER_SECONDS = 300.0, 120.0, 20.0, 20.0
NAME = "9999_drill_of_an_expansion"
MIGRATION = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("loyalty", "{after}")]
    operations = [{operations}]
"""
# The new columns have a default that PostgreSQL keeps by itself (db_default): the release that runs knows them not.
COLUMNS = """
    migrations.AddField("card", "drill_colour", models.CharField(max_length=20, db_default="")),
    migrations.AddField("transaction", "drill_note", models.CharField(max_length=20, null=True)),
"""
INDEX = 'AddIndexConcurrently("card", models.Index(fields=["merchant", "drill_colour"], name="drill_colour_idx"))'


def drill(stack: Stack, budget: Budget) -> Finding:
    """Stamp, and meanwhile add to both tables of the hot path and take it away, past a report that holds a lock."""
    shop = stack.shop(cards=TILLS * 4)
    folder = stack.folder / "loyalty/migrations"
    before = _latest(folder)
    # Briefly, each takes a breath: what thousands of stamps leave to the workers, the next drills would wait for.
    tills = _Tills(shop, pause=0.05 if budget.short else 0.0)
    tills.start()
    pause = max(1.0, budget.seconds / 10)
    try:
        _write(folder, NAME, before, COLUMNS)
        _write(folder, f"{NAME}_index", NAME, INDEX, atomic=False)
        time.sleep(pause)
        began = time.monotonic()
        report = threading.Thread(target=_read_for, args=(stack, max(1.0, 3 * budget.share)), daemon=True)
        report.start()
        tries = _migrate(stack)
        report.join(REPORT_SECONDS + ANSWER_SECONDS)
        took = time.monotonic() - began
        time.sleep(pause)
        tries += _migrate(stack, "loyalty", before)
    finally:
        answers, slowest = tills.stop()
        for path in folder.glob(f"{NAME}*.py"):
            path.unlink()
    failed = sum(count for status, count in answers.items() if status != 201)
    figure = (
        f"{answers[201]} stamps, {failed} failed, slowest {slowest * 1000:.0f} ms; gave way {tries} times, {took:.1f} s"
    )
    return Finding(failed == 0 and answers[201] > 0, figure if not failed else f"{figure}; {dict(answers)}")


def _latest(folder: Path) -> str:
    return max(path.stem for path in folder.glob("0*.py"))


def _write(folder: Path, name: str, after: str, operations: str, *, atomic: bool = True) -> None:
    (folder / f"{name}.py").write_text(MIGRATION.format(after=after, operations=operations, atomic=atomic))


def _migrate(stack: Stack, *arguments: str) -> int:
    """Migrate as a release does; returns how often it gave way to others."""
    command = [stack.python, "manage.py", "migrate", "--no-input", *arguments]
    done = subprocess.run(
        command, cwd=stack.folder, env=stack.env, capture_output=True, text=True, check=False, timeout=MIGRATE_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"migrate failed: {done.stderr[-1500:]}")
    return done.stderr.count("trying again")


def _read_for(stack: Stack, seconds: float) -> None:
    """Hold what a report holds: without the lock timeout all tills would queue behind the migration that waits."""
    deadline = time.monotonic() + REPORT_SECONDS
    with psycopg.connect(stack.superuser_dsn) as reader:
        reader.execute("SELECT count(*) FROM loyalty_card")
        reader.execute("SELECT count(*) FROM loyalty_transaction")
        with psycopg.connect(stack.superuser_dsn, autocommit=True) as other:
            # For as long as it takes the migration to come, and some more.
            while time.monotonic() < deadline and not _somebody_waits(other):
                time.sleep(0.02)
        time.sleep(seconds)


def _somebody_waits(connection: psycopg.Connection) -> bool:
    waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER%')"
    return connection.execute(waiting).fetchone() == (True,)


class _Tills:
    """Several tills that stamp one after the other, each its own cards."""

    def __init__(self, shop: Shop, *, pause: float) -> None:
        self.shop, self.pause, self.answers, self.slowest = shop, pause, Counter[int](), 0.0
        self._done, self._lock = threading.Event(), threading.Lock()
        self._deadline = time.monotonic() + LONGEST_SECONDS
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(TILLS)]

    def start(self) -> None:
        """Open all tills."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> tuple[Counter[int], float]:
        """Close them; returns the answers by status and the longest time that one took."""
        self._done.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS)
        return self.answers, self.slowest

    def _work(self, number: int) -> None:
        for card in itertools.cycle(self.shop.cards[number::TILLS]):
            if self._done.wait(self.pause) or time.monotonic() > self._deadline:
                return
            answer = self.shop.stamp(card, key=uuid4().hex)
            with self._lock:
                self.answers[answer.status] += 1
                self.slowest = max(self.slowest, answer.seconds)
