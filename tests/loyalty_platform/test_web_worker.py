"""Connections spread over the web processes, whoever is quickest: real processes, real sockets."""

import contextlib
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from loyalty_platform.launcher import process
from tests.support.servers import ROOT

PROCESSES, CONNECTIONS = 4, 40
APP = """
import os
def app(environ, start_response):
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Four processes with the product's configuration and a small application."""
    (tmp_path / "small.py").write_text(APP)
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        where: tuple[str, int] = probe.getsockname()
    command = [sys.executable, "-m", "gunicorn", "small:app", "--config", "loyalty_platform/gunicorn_conf.py"]
    environment = {"PATH": "", "PYTHONPATH": f"{tmp_path}:{ROOT}", "WEB_BIND": f"{where[0]}:{where[1]}",
                   "WEB_WORKERS": str(PROCESSES)}  # fmt: skip
    web = process.spawn(command, log=tmp_path / "web.log", env=environment, cwd=ROOT)
    try:
        deadline = time.monotonic() + 30
        while len(seen := set(asked(where, 8))) < PROCESSES:
            assert time.monotonic() < deadline, (seen, process.log_tail(tmp_path / "web.log", 20))
            time.sleep(0.2)
        time.sleep(1.0)
        yield where
    finally:
        process.stop_all([web])


def asked(where: tuple[str, int], count: int) -> list[int]:
    """Open connections one after the other, ask on each and keep it; return whose process answered."""
    pids, held = [], []
    for _ in range(count):
        with contextlib.suppress(OSError):
            line = HTTPConnection(*where, timeout=5)
            held.append(line)
            line.request("GET", "/")
            pids.append(int(line.getresponse().read()))
    for line in held:
        line.close()
    return pids


def test_no_process_is_left_with_most_of_the_connections(address: tuple[str, int]) -> None:
    shares = Counter(asked(address, CONNECTIONS))

    assert sum(shares.values()) == CONNECTIONS
    assert len(shares) == PROCESSES
    assert max(shares.values()) < CONNECTIONS * 0.45, shares
