"""Apple passes a second of one core, as a ratio to the RSA signatures openssl makes on it: in turns, in one run."""

import json
import os
import subprocess
import sys

from tests.bench.openssl import compare
from tests.support.servers import ROOT

ROUNDS = int(os.environ.get("BENCH_PASS_ROUNDS", "3"))
SECONDS = int(os.environ.get("BENCH_PASS_SECONDS", "3"))
WANTED = 0.5


def main() -> int:
    """Measure; the exit status says whether the ratio is what is wanted."""
    return compare("passes", passes, rounds=ROUNDS, seconds=SECONDS, wanted=WANTED)


def passes(seconds: int) -> float:
    """Return how many passes one second of the processor makes."""
    command = [sys.executable, "-W", "ignore", "manage.py", "bench_passes", "--seconds", str(seconds)]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.test"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return float(found["passes"] / found["cpu_seconds"])


if __name__ == "__main__":
    sys.exit(main())
