"""The yardstick: pgbench doing the same work as plain SQL, eight statements and eight round trips for a stamp."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from loyalty_platform.launcher.postgres import binaries

CLIENTS = 8
SCRIPT = Path(__file__).with_name("stamp.sql")


@dataclass(frozen=True, slots=True)
class Plain:
    """One round of pgbench: transactions a second, and the average time of one in milliseconds."""

    rate: float
    milliseconds: float
    count: int


def write_script(path: Path, **values: object) -> None:
    """Write pgbench's script for a merchant."""
    path.write_text(SCRIPT.read_text(encoding="utf-8").format(**values), encoding="utf-8")


def run(script: Path, address: str, *, seconds: float) -> Plain:
    """Run pgbench for some seconds as the application's role."""
    parts = conninfo_to_dict(address)
    threads = min(CLIENTS, os.cpu_count() or 1)
    command = [
        str(binaries() / "pgbench"), "--no-vacuum", f"--client={CLIENTS}", f"--jobs={threads}",
        f"--time={max(1, round(seconds))}", f"--file={script}", f"--host={parts['host']}", f"--port={parts['port']}",
        f"--username={parts['user']}", str(parts["dbname"]),
    ]  # fmt: skip
    env = {**os.environ, "PGPASSWORD": str(parts["password"])}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return Plain(
        rate=float(_number(r"tps = ([\d.]+)", done.stdout)),
        milliseconds=float(_number(r"latency average = ([\d.]+) ms", done.stdout)),
        count=int(_number(r"transactions actually processed: (\d+)", done.stdout)),
    )


def _number(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"pgbench said something else:\n{text}")
    return found[1]
