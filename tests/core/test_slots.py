"""Places that all processes of a host share: real processes, real locks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.slots import HostSlots
from tests.support.relay import eventually
from tests.support.servers import ROOT

WORK = """
import sys, threading, time
from core.slots import HostSlots
slots = HostSlots("places", 2)
def work():
    for _ in range(5):
        with slots.taken():
            began = time.monotonic()
            time.sleep(0.02)
            sys.stdout.write(f"{began} {time.monotonic()}\\n")
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
HOLD = """
import time
from core.slots import HostSlots
with HostSlots("places", 1).taken():
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the system for this test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def start(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def taken_within(slots: HostSlots, seconds: float) -> bool:
    began = time.monotonic()
    with slots.taken():
        return time.monotonic() - began < seconds


def test_processes_together_hold_no_more_than_there_are(folder: Path) -> None:
    workers = [start(WORK) for _ in range(4)]
    spans = [tuple(map(float, line.split())) for worker in workers for line in worker.communicate()[0].splitlines()]

    assert len(spans) == 4 * 3 * 5
    assert max(sum(began <= at < ended for began, ended in spans) for at, _ in spans) == 2


def test_who_dies_gives_its_place_back(folder: Path) -> None:
    holder = start(HOLD)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    slots = HostSlots("places", 1)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()

    assert taken_within(slots, 1.0)


def test_nobody_waits_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.slots.LONGEST_SECONDS", 0.2)
    holder = start(HOLD)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    began = time.monotonic()
    assert eventually(lambda: taken_within(HostSlots("places", 1), 1.0), 2.0)
    assert time.monotonic() - began >= 0.2
    holder.kill()
    holder.communicate()


@pytest.mark.parametrize("what", ["file", "link"])
def test_without_a_folder_of_its_own_it_goes_on(folder: Path, what: str) -> None:
    place = folder / f"places-{os.getuid()}"
    if what == "file":
        place.write_text("")
    else:
        (folder / "elsewhere").mkdir()
        place.symlink_to(folder / "elsewhere")

    assert taken_within(HostSlots("places", 1), 1.0)
    assert not list((folder / "elsewhere").glob("*"))
