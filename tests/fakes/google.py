"""Google Wallet's API as a real HTTP server: token endpoint, classes, objects, a rate limit, faults on command.

In tests: `with FakeGoogle() as google:`. In development: `python -m tests.fakes.google --port 8091 --account FILE`.
`GET /_fake/state` and `/_fake/requests` show what it holds and heard, `POST /_fake/faults` sets faults (see Faults).
"""

import argparse
import json
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.google_shelf import Refused, Shelf, error
from tests.fakes.google_tokens import Tokens

ISSUER = "3388000000022222222"
API = "/walletobjects/v1/"
REQUESTS_A_SECOND = 20
LOCAL = "127.0.0.1"


@dataclass
class Faults:
    """What goes wrong. next: statuses for the next requests; share: of requests that get one of `statuses`.

    away: connections are closed without an answer; lost: the change is made and the answer never comes, so many times;
    token: the status of the token endpoint, 0 for none; refuse: every object whose body holds this text gets a 400.
    """

    next: list[int] = field(default_factory=list)
    share: float = 0.0
    statuses: list[int] = field(default_factory=lambda: [429, 500, 502, 503])
    retry_after: int | None = None
    away: bool = False
    lost: int = 0
    latency: float = 0.0
    token: int = 0
    refuse: str = ""


@dataclass(frozen=True)
class Seen:
    """A request as it came. at: the moment of its arrival by the monotonic clock."""

    at: float
    method: str
    path: str
    body: Any
    status: int

    @property
    def kind(self) -> str:
        """What it was about."""
        return self.path.removeprefix(API).partition("/")[0]


class FakeGoogle:
    """The server. `shelf` is what it holds, `seen` what it heard, `faults` what goes wrong."""

    def __init__(
        self, *, port: int = 0, issuer: str = ISSUER, account: dict[str, Any] | None = None, seed: int = 1
    ) -> None:
        self.shelf, self.faults, self.random = Shelf({issuer}), Faults(), Random(seed)
        self.issuer = issuer
        self.seen: list[Seen] = []
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()
        self._server = _Server((LOCAL, port), _handler(self))
        self.account = {**(account or new_account()), "token_uri": f"{self.url}/token"}
        self.tokens = Tokens(self.account)

    @property
    def url(self) -> str:
        """Where it listens: LOYALTY_GOOGLE_API_BASE."""
        return f"http://{LOCAL}:{self._server.server_port}"

    def write_account(self, path: Path) -> Path:
        """Write the service account's JSON: LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON."""
        path.write_text(json.dumps(self.account))
        return path

    def start(self) -> Self:
        """Listen."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening and close what is open."""
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()

    __enter__ = start

    def __exit__(self, *error: object) -> None:
        self.stop()

    def calls(self, method: str = "", kind: str = "") -> list[Seen]:
        """Return the requests about classes and objects, of one method or kind."""
        with self._lock:
            return [one for one in self.seen if method in ("", one.method) and kind in ("", one.kind)]

    def peak(self) -> int:
        """Return how many requests came within any one second, whatever became of them."""
        times, first, most = sorted(one.at for one in self.calls()), 0, 0
        for last, at in enumerate(times):
            while times[first] <= at - 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    def answer(self, method: str, path: str, headers: Any, data: bytes) -> tuple[int, Any, dict[str, str]]:
        """Answer a request; raises ConnectionAbortedError where no answer comes."""
        if path == "/token":
            return self._token(data)
        if path.startswith("/_fake/"):
            return self._command(method, path, data)
        at, body = time.monotonic(), json.loads(data) if data else None
        status, found, more = self._judged(at, method, path, headers, body)
        with self._lock:
            self.seen.append(Seen(at, method, path, body, status))
        if self.faults.latency:
            time.sleep(self.faults.latency)
        if status == 0:
            raise ConnectionAbortedError
        return status, found, more

    def _judged(self, at: float, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any, dict[str, str]]:
        if self.faults.away:
            return 0, None, {}
        more = {} if self.faults.retry_after is None else {"Retry-After": str(self.faults.retry_after)}
        if self._too_many(at):
            return 429, error(429, "rateLimitExceeded", "Too many requests."), {"Retry-After": "1"}
        if status := self._fault():
            return status, error(status, "backendError", "A fault on command."), more
        if not self.tokens.valid(headers.get("Authorization", "")):
            return 401, error(401, "authError", "Invalid Credentials"), {}
        try:
            found = self._do(method, path, body)
        except Refused as refused:
            return refused.status, error(refused.status, refused.reason, refused.message), {}
        with self._lock:
            if self.faults.lost > 0 and method != "GET":
                self.faults.lost -= 1
                return 0, None, {}
        return 200, found, {}

    def _do(self, method: str, path: str, body: Any) -> Any:
        target = urlsplit(path)
        path, query = target.path, parse_qs(target.query)
        kind, _, name = path.removeprefix(API).partition("/")
        name = unquote(name)
        if method == "GET" and path == f"{API}{kind}" and kind in self.shelf.kept:
            return self.shelf.listed(kind, query.get("issuerId", [""])[0])
        if not path.startswith(API) or kind not in self.shelf.kept or bool(name) == (method == "POST"):
            raise Refused(404, "notFound", f"{method} {path} is nothing.")
        if self.faults.refuse and self.faults.refuse in json.dumps(body, ensure_ascii=False):
            raise Refused(400, "badRequest", "Refused on command.")
        if method == "GET":
            return self.shelf.get(kind, name)
        if not isinstance(body, dict):
            raise Refused(400, "parseError", "A JSON object is expected.")
        if method == "POST":
            return self.shelf.insert(kind, body)
        return {"PATCH": self.shelf.patch, "PUT": self.shelf.update}[method](kind, name, body)

    def _too_many(self, at: float) -> bool:
        with self._lock:
            while self._recent and self._recent[0] <= at - 1.0:
                self._recent.popleft()
            if len(self._recent) >= REQUESTS_A_SECOND:
                return True
            self._recent.append(at)
            return False

    def _fault(self) -> int:
        with self._lock:
            if self.faults.next:
                return self.faults.next.pop(0)
            chosen = self.faults.share and self.random.random() < self.faults.share
            return self.random.choice(self.faults.statuses) if chosen else 0

    def _token(self, data: bytes) -> tuple[int, Any, dict[str, str]]:
        if self.faults.away:
            raise ConnectionAbortedError
        if self.faults.token:
            return self.faults.token, {"error": "fault", "error_description": "A fault on command."}, {}
        form = {key: values[0] for key, values in parse_qs(data.decode()).items()}
        return *self.tokens.exchange(form), {}

    def _command(self, method: str, path: str, data: bytes) -> tuple[int, Any, dict[str, str]]:
        if path == "/_fake/faults" and method == "POST":
            for key, value in json.loads(data or b"{}").items():
                if key in {one.name for one in fields(Faults)}:
                    setattr(self.faults, key, value)
            return 200, asdict(self.faults), {}
        if path == "/_fake/requests":
            return 200, {"peak": self.peak(), "requests": [asdict(one) for one in self.calls()[-1000:]]}, {}
        if path == "/_fake/state":
            with self.shelf.lock:
                return 200, {**self.shelf.kept, "notified": dict(self.shelf.notified)}, {}
        return 404, {}, {}


def new_account() -> dict[str, Any]:
    """Return the JSON of a new service account, without its token_uri."""
    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "type": "service_account", "project_id": "fakes", "private_key_id": "fakes-1", "private_key": pem,
        "client_email": "wallet@fakes.example", "client_id": "1",
    }  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections are closed on command."""

    def close_connections(self) -> None:
        """Close what clients keep open."""
        for request in list(self._open):
            self.shutdown_request(request)


def _handler(google: FakeGoogle) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, body, more = google.answer(self.command, self.path, self.headers, data)
            except ConnectionAbortedError:
                self.close_connection = True
                return
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **more,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - the names that the base class asks for

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--issuer", default=ISSUER)
    parser.add_argument("--account", type=Path, required=True, help="JSON of the service account; made when missing")
    options = parser.parse_args()
    account = json.loads(options.account.read_text()) if options.account.exists() else None
    google = FakeGoogle(port=options.port, issuer=options.issuer, account=account)
    google.write_account(options.account)
    with google:
        threading.Event().wait()


if __name__ == "__main__":
    main()
