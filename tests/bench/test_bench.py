"""`make bench` runs from one end to the other: a small load, one short round."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.servers import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bench")]


def test_it_runs_and_every_stamp_counts() -> None:
    env = {**os.environ, "BENCH_CARDS": "400", "BENCH_ROUNDS": "1", "BENCH_SECONDS": "1"}

    command = [sys.executable, "-m", "tests.bench"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=180, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"ratio +0\.\d+", done.stdout)
    assert "round trips      2 (wanted: 2), status 201" in done.stdout
    assert "verify_ledger: 0 differences" in done.stdout
