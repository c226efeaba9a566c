"""Log lines and what Sentry is told: the number of the request, the merchant, and nothing of people, PINs or paths."""

import json
import logging
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import brotli
import pytest
import structlog
from django.conf import settings
from django.db import IntegrityError
from django.test import Client, RequestFactory

from core import tenancy, tracing
from loyalty_platform.settings.logs import logging_config
from tests.architecture.test_deploy import REST, SECRETS
from tests.support.servers import ROOT
from tests.support.world import World

CODE = "/c/canary-card-code"
PERSON = "canary.person@example.org"


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Collect what is logged, in the form of production."""
    config = logging_config(as_json=True)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=config["formatters"]["lines"]["foreign_pre_chain"],
        processors=config["formatters"]["lines"]["processors"],
    )
    found: list[dict[str, Any]] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(formatter.format(record)))

    handler = Collecting()
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)
    logging.config.dictConfig(settings.LOGGING)


def test_it_works(db: None, lines: list[dict[str, Any]], settings: Any) -> None:
    settings.ACCESS_LOG = True
    world = World.make()

    answer = Client().get("/api/v1/store/loyalty/cards", headers={"Authorization": f"Bearer {world.key_text}"})

    told = next(line for line in lines if line["event"] == "request")
    assert told["request_id"] == answer["X-Request-ID"]
    assert told["merchant_id"] == str(world.merchant_id)
    assert (told["method"], told["route"], told["status"]) == ("GET", "api/v1/store/loyalty/cards", 200)
    assert world.key_text not in json.dumps(lines)


def test_a_number_is_taken_from_a_trusted_proxy_only(db: None, settings: Any) -> None:
    given = {"X-Request-ID": "0123456789abcdef"}
    strange = [Client().get("/healthz", headers=given)["X-Request-ID"]]
    settings.TRUST_PROXY = True
    strange.append(Client().get("/healthz", headers={"X-Request-ID": "<script>alert(1)</script>"})["X-Request-ID"])

    assert Client().get("/healthz", headers=given)["X-Request-ID"] == "0123456789abcdef"
    assert all(len(number) == 32 for number in strange)


def test_nothing_is_carried_over_to_the_next_request_or_task(db: None) -> None:
    tracing.begin(request_id="1")
    with tenancy.scope(World.make().merchant_id):
        assert set(tracing.facts()) == {"request_id", "merchant_id"}
    tracing.end()

    assert tracing.facts() == {}
    with tenancy.scope(World.make().merchant_id):
        assert tracing.facts() == {}


@pytest.mark.parametrize("path", [CODE, "/c/canary%0Aforged: line", "/nothing/canary"])
def test_django_names_no_path(db: None, lines: list[dict[str, Any]], path: str) -> None:
    assert Client().get(path).status_code == 404

    told = [line for line in lines if line["logger"] == "django.request"]
    assert told
    assert "canary" not in json.dumps(lines)


def test_what_the_database_says_of_a_row_is_cut(lines: list[dict[str, Any]]) -> None:
    detail = f"duplicate key value\nDETAIL:  Failing row contains (1, {PERSON}, Canary\nPerson, +352 621 123 456)."
    try:
        raise IntegrityError(detail)
    except IntegrityError:
        logging.getLogger("x").exception("a card of %s with Bearer %s failed", PERSON, "k" * 32)

    text = json.dumps(lines)
    assert "IntegrityError: duplicate key value" in text
    assert "in test_what_the_database_says" in text
    assert not any(secret in text for secret in ("canary", "Canary", "Person", "621", "k" * 32))


@pytest.mark.parametrize("name", ["Anna\n\nCanary", "Anna\n\n\nCANARY: Canary", "Anna\n\n  File Canary"])
@pytest.mark.parametrize("chained", [False, True])
def test_a_name_with_a_blank_line_ends_no_cut(lines: list[dict[str, Any]], name: str, *, chained: bool) -> None:
    said = f"duplicate key value\nDETAIL:  Failing row contains (1, {name}, Canary).\nHINT:  Look twice."
    try:
        try:
            raise IntegrityError(said)
        except IntegrityError as error:
            if chained:
                raise RuntimeError("not saved") from error
            raise
    except (IntegrityError, RuntimeError):
        logging.getLogger("x").exception("failed")

    text = json.dumps(lines)
    assert "canary" not in text.lower()
    assert "Anna" not in text
    assert "HINT:  Look twice." in text
    assert ("RuntimeError: not saved" in text) is chained


@pytest.mark.parametrize(("text", "blotted"), [
    ("postgresql://loyalty_app:secret@db/loyalty", "postgresql://…@db/loyalty"),
    (f"to {PERSON}, now", "to …@…, now"),
    ("call +352 621 123 456 now", "call +… now"),
    ("card 0190c8d2-1 changed in 0.3 s at 2026-11-02T10:00:00+00:00",) * 2,
    ("3 differences in 12 cards",) * 2,
])  # fmt: skip
def test_only_what_tells_of_people_is_blotted(text: str, blotted: str) -> None:
    assert tracing.blot(text) == blotted


class Sentry(BaseHTTPRequestHandler):
    """Takes what the library sends, as its server would."""

    taken: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        unpack = {"br": brotli.decompress, "gzip": lambda packed: zlib.decompress(packed, 31)}
        self.taken.append(unpack.get(self.headers["Content-Encoding"], bytes)(body).decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


FAULT = """
import json, logging, sys, django
from django.conf import settings
django.setup()
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
from django.test import Client
from django.urls import path
import loyalty_platform.urls as urls
from core import tracing

def breaks(request, code):
    staff_pin, email = "4" + "82193", request.POST["email"]
    tracing.saw("0190c8d2-0000-7000-8000-000000000001")
    logging.getLogger("x").error("mail to %s failed", email)
    raise ValueError(f"no {email}\\nDETAIL:  Key (email)=({email}) exists.")

urls.urlpatterns.insert(0, path("canary/<code>", breaks))
client = Client(raise_request_exception=False, HTTP_HOST="cards.example", HTTP_COOKIE="chosen=canary-cookie")
answer = client.post("/canary/canary-code?token=canary-token", {"email": "canary.person@example.org"}, secure=True,
                     headers={"Authorization": "Bearer canary-key-canary-key-canary"})
if "sentry_sdk" in sys.modules:
    import sentry_sdk
    sentry_sdk.flush(5)
print(answer.status_code, "sentry_sdk" in sys.modules)
"""


def fault(dsn: str) -> str:
    """Let a view of a production process break; returns what it printed: the status, and whether Sentry is there."""
    env = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production", **SECRETS, **REST}
    command = [sys.executable, "-c", FAULT]
    env |= {"SENTRY_DSN": dsn, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_sentry_is_told_of_a_fault_and_of_nobody() -> None:
    Sentry.taken = []
    server = HTTPServer(("127.0.0.1", 0), Sentry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        said = fault(f"http://public@127.0.0.1:{server.server_port}/1")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    text = "\n".join(Sentry.taken)
    assert said == "500 True"
    assert "ValueError" in text
    assert '"request_id"' in text
    assert "0190c8d2-0000-7000-8000-000000000001" in text
    assert "breaks" in text
    for secret in ("canary.person", "482193", "canary-code", "canary-token", "canary-cookie", "canary-key", "chosen"):
        assert secret not in text, secret


def test_without_an_address_nothing_of_sentry_is_even_loaded() -> None:
    assert fault("") == "500 False"


def test_a_route_is_named_where_nobody_answers() -> None:
    assert tracing.route(RequestFactory().get("/x")) == "unmatched"
