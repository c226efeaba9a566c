"""The page with the phone: serves files, the state as JSON, pictures, and tells the browser when something happened."""

import io
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import qrcode
from qrcode.image.svg import SvgPathImage

from tests.fakes.happenings import Happenings

FOLDER = Path(__file__).parent / "phone"
KINDS = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'"
)
BIGGEST_BODY = 20_000
BIGGEST_PICTURE = 5_000_000
QUIET_SECONDS = 15


class Refused(Exception):
    """What the person at the page asked for is impossible; the text says why."""


class Phone(Protocol):
    """What the page shows and moves."""

    happenings: Happenings
    site_url: str

    def state(self) -> dict[str, Any]:
        """Return cards, log and faults."""

    def image(self, card: str, name: str) -> bytes | None:
        """Return a picture of an Apple pass."""

    def act(self, verb: str, body: dict[str, Any]) -> None:
        """Add, remove, refresh, or switch a fault; raises Refused."""

    def google_keys(self) -> dict[str, Any]:
        """Return the root keys of the callbacks."""

    def pushes(self) -> dict[str, int]:
        """Return how many pushes were taken for each token, those of other devices, too."""


class PhonePage:
    """The server of the page."""

    def __init__(self, phone: Phone, port: int = 0) -> None:
        class Bound(_Handler):
            pass

        Bound.phone = phone
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Bound)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def start(self) -> None:
        """Serve in a thread."""
        threading.Thread(target=self.server.serve_forever, daemon=True, name="phone page").start()

    def stop(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    phone: Phone
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file, a picture or the state."""
        address = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(address.query))
        told = {"/state": self.phone.state, "/google/keys": self.phone.google_keys, "/pushes": self.phone.pushes}
        match address.path:
            case "/":
                self._file("index.html")
            case "/healthz":
                self._json({"status": "ok"})
            case "/events":
                self._events()
            case "/image":
                self._bytes(self.phone.image(asked.get("card", ""), asked.get("name", "")), "image/png")
            case "/picture":
                self._picture(asked.get("of", ""))
            case "/barcode":
                self._bytes(_barcode(asked.get("text", "")), "image/svg+xml")
            case path if path in told:
                self._json(told[path]())
            case path if path.startswith("/phone/"):
                self._file(path.removeprefix("/phone/"))
            case _:
                self._bytes(None, "")

    def do_POST(self) -> None:
        """Do what the page's buttons ask."""
        length = int(self.headers.get("Content-Length") or 0)
        # Another site cannot send JSON here without asking first, which is never allowed.
        if length > BIGGEST_BODY or self.headers.get("Content-Type", "") != "application/json":
            self.close_connection = True
            self._json({"detail": "Only JSON of at most 20,000 bytes is taken."}, status=400)
            return
        try:
            self.phone.act(urllib.parse.urlsplit(self.path).path.strip("/"), json.loads(self.rfile.read(length)))
        except Refused as error:
            self._json({"detail": str(error)}, status=400)
        except (ValueError, KeyError, TypeError) as error:
            self._json({"detail": f"That was not understood: {error}"}, status=400)
        else:
            self._json({"detail": ""})

    def log_message(self, *arguments: object) -> None:
        """Stay silent: the page has its own log."""

    def _file(self, name: str) -> None:
        path = FOLDER / name
        known = path.parent == FOLDER and path.suffix in KINDS and path.is_file()
        self._bytes(path.read_bytes() if known else None, KINDS.get(path.suffix, ""))

    def _picture(self, address: str) -> None:
        """Fetch a picture as Google would, from the site only."""
        if not address.startswith(f"{self.phone.site_url}/"):
            self._bytes(None, "")
            return
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                self._bytes(answer.read(BIGGEST_PICTURE), answer.headers.get("Content-Type", "image/png"))
        except (urllib.error.URLError, OSError) as error:
            self.phone.happenings.note("google", f"picture {address}: {error}", bad=True)
            self._bytes(None, "")

    def _events(self) -> None:
        self.send_response(200)
        self._headers("text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        seen = -1
        try:
            while True:
                now = self.phone.happenings.wait(seen, QUIET_SECONDS)
                self.wfile.write(b": still here\n\n" if now == seen else f"data: {now}\n\n".encode())
                self.wfile.flush()
                seen = now
        except OSError:
            return

    def _json(self, content: dict[str, Any], status: int = 200) -> None:
        self._bytes(json.dumps(content).encode(), "application/json", status)

    def _bytes(self, content: bytes | None, kind: str, status: int = 200) -> None:
        body = content if content is not None else b"not found"
        self.send_response(status if content is not None else 404)
        self._headers(kind if content is not None else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _headers(self, kind: str) -> None:
        for name, value in {
            "Content-Type": kind, "Cache-Control": "no-store", "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
        }.items():  # fmt: skip
            self.send_header(name, value)


def _barcode(text: str) -> bytes:
    image = qrcode.make(text or " ", image_factory=SvgPathImage, border=1)
    buffer = io.BytesIO()
    image.save(buffer)
    return buffer.getvalue()
