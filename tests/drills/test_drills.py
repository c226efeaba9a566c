"""The drills themselves: the cheapest run as `make drill SHORT=1 DRILLS=…` does, and a red one is seen."""

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.drills.found import Budget
from tests.drills.journal import Entry, hold
from tests.drills.watchdog import Hung, limit
from tests.support.servers import ROOT

CHEAP = ("5", "7")


@pytest.mark.stack
@pytest.mark.slow
def test_it_works() -> None:
    env = {**os.environ, "SHORT": "1"}

    command = [sys.executable, "-m", "tests.drills", *CHEAP]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^ *(\d+)  .* ok ", done.stdout, re.MULTILINE) == list(CHEAP)
    assert "2 of 2 kept" in done.stdout


def test_an_unknown_drill_is_an_error() -> None:
    command = [sys.executable, "-m", "tests.drills", "99"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (1, "There is no drill for 99.\n")


def test_a_journal_that_agrees_is_green() -> None:
    entries = [Entry("a", "card", ["1"]), Entry("b", "card", ["2"])]

    found = hold(entries, [("a", "1", 1), ("b", "2", 1)])

    assert found.ok
    assert str(found) == "2 acknowledged: 0 lost, 0 doubled"


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([("a", "1", 1)], "lost"),
        ([("a", "1", 1), ("b", "2", 1), ("b", "3", 1)], "doubled"),
        ([("a", "1", 1), ("b", "2", 2)], "doubled"),
        ([("a", "1", 1), ("b", "9", 1)], "strange"),
        ([("a", "1", 1), ("b", "2", 1), ("c", "3", 1)], "strange"),
    ],
)
def test_each_fault_is_red(rows: list[tuple[str, str, int]], fault: str) -> None:
    found = hold([Entry("a", "card", ["1"]), Entry("b", "card", ["2"])], rows)

    assert not found.ok
    assert getattr(found, fault) == 1


def test_a_stamp_that_was_never_answered_is_red() -> None:
    found = hold([Entry("a", "card", ["1"]), Entry("b", "card")], [("a", "1", 1), ("b", "2", 1)])

    assert not found.ok
    assert found.unanswered == 1


def test_the_short_form_does_a_fifth() -> None:
    assert (Budget.of(short=False).count(50), Budget.of(short=True).count(50)) == (50, 10)
    assert Budget.of(short=True).count(3) == 1


def test_what_hangs_is_broken_off_also_on_its_way_out(tmp_path: Path) -> None:
    over, began = threading.Event(), time.monotonic()
    try:
        with (
            pytest.raises(Hung, match=r"test_what_hangs.* \(test_drills\.py:\d+\)"),
            limit(0.2, tmp_path / "threads.txt", again=0.2),
            ThreadPoolExecutor(1) as pool,
        ):
            pool.submit(over.wait, 60).result()
    finally:
        over.set()

    assert time.monotonic() - began < 30
    assert "wait" in (tmp_path / "threads.txt").read_text()


def test_what_ends_in_time_is_left_alone(tmp_path: Path) -> None:
    with limit(0.3, tmp_path / "threads.txt"):
        pass
    time.sleep(0.4)

    assert not (tmp_path / "threads.txt").exists()
