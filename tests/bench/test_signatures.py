"""The measurements of save links and passes run, and the key is not parsed per link or pass."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.servers import ROOT


@pytest.mark.parametrize(("module", "line"), [("links", "save links ratio"), ("passes", "passes ratio")])
def test_it_measures_and_none_parses_the_key(module: str, line: str) -> None:
    kind = module.removesuffix("s").removesuffix("e").upper()
    env = {**os.environ, f"BENCH_{kind}_ROUNDS": "1", f"BENCH_{kind}_SECONDS": "1"}

    command = [sys.executable, "-m", f"tests.bench.{module}"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)

    found = re.search(rf"{line} +([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    # With a key parsed each time it is about 0.01; how much more than that is the measurement's own business.
    assert float(found[1]) > 0.2
