"""What gunicorn itself says of a request becomes a line of the product: without addresses, of cards or of people."""

import contextlib
import json
import os
import socket
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from loyalty_platform.launcher import process
from tests.architecture.test_deploy import REST, SECRETS
from tests.stack.harness import free_port
from tests.support.servers import ROOT

# The product as it starts in production; then an application that fails outside of Django.
BREAKS = """
    from loyalty_platform.wsgi import application as ours

    def application(environ, start_response):
        assert ours
        raise RuntimeError("nothing goes")
"""
REQUESTS = (
    b"GET /c/canary-card-code?token=canary-token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /c/canary-card-code canary\r\n\r\n",
    b"GET /c/canary-card-code HTTP/1.1\r\ncanary header: canary-key\r\n\r\n",
)


def answer(port: int, request: bytes) -> bytes:
    """Send bytes as they are; return the beginning of what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(request)
        return wire.recv(100)


def is_up(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def said_of(folder: Path, requests: tuple[bytes, ...]) -> str:
    """Let gunicorn answer requests; return what it wrote."""
    (folder / "breaks.py").write_text(textwrap.dedent(BREAKS))
    port, log = free_port(), folder / "web.log"
    env: dict[str, Any] = {
        "PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{folder}", "PYTHONWARNINGS": "ignore", "WEB_WORKERS": "1",
        "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production", **SECRETS, **REST,
        "WEB_BIND": f"127.0.0.1:{port}",
    }  # fmt: skip
    config = ["--config", str(ROOT / "loyalty_platform/gunicorn_conf.py")]
    served = process.spawn([sys.executable, "-m", "gunicorn", "breaks", *config], log=log, env=env, cwd=folder)
    try:
        assert process.wait_until(lambda: is_up(port), 20), process.log_tail(log)
        assert all(b"HTTP/1.1 " in answer(port, request) for request in requests)
        time.sleep(0.2)
    finally:
        process.stop_all([served], patience=5)
    return log.read_text()


def test_gunicorn_names_no_path(tmp_path: Path) -> None:
    said = said_of(tmp_path, REQUESTS)

    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    told = [line for line in lines if line["logger"] == "gunicorn.error" and line["level"] in ("error", "warning")]
    assert [line["event"] for line in told] == [
        "Error handling request",
        "Invalid request: Invalid HTTP Version",
        "Invalid request: Invalid HTTP header name",
    ]
    assert "RuntimeError: nothing goes" in told[0]["exception"]
    assert "canary" not in said
    assert "127.0.0.1" not in json.dumps(told)
