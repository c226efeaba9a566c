"""A shop of the demo as its POS and its customers use it over HTTP, and the phone of the fakes beside it."""

import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.stack.harness import Stack

STORE = "coffeelux-gare"
API = "/api/v1"
# A stamp's rules out of the way: what is looked at here comes after it.
FREE = {"cooldown_minutes": 0, "max_daily_stamps": 0, "require_staff_pin": False, "full_card": "carry_over"}


@dataclass
class Answer:
    """A status, what came with it, and the seconds that it took."""

    status: int
    body: dict[str, Any]
    seconds: float


def ask(address: str, body: dict[str, Any] | None = None, *, method: str = "", **headers: str) -> Answer:
    """Send JSON and return the answer, whatever its status; status 0 when nobody answers."""
    data = json.dumps(body).encode() if body is not None else None
    sent = {"Content-Type": "application/json", "Accept-Language": "en"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, data, sent, method=method or ("POST" if data else "GET"))
    began = time.monotonic()
    try:
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
    except (OSError, http.client.HTTPException) as error:
        status, text = 0, str(error).encode()
    took = time.monotonic() - began
    try:
        return Answer(status, json.loads(text or b"{}"), took)
    except ValueError:
        return Answer(status, {"text": text[:200_000].decode(errors="replace")}, took)


@dataclass
class Shop:
    """The POS of one store."""

    stack: Stack
    key: str = ""
    stamps: list[Answer] = field(default_factory=list)

    def open(self) -> "Shop":
        """Take a key and let stamps follow each other at once."""
        said = self.stack.manage("create_api_key", "--merchant", "coffeelux", "--store", STORE, "--name", "Stack")
        self.key = said.strip()
        changed = self.call("store/loyalty/program", FREE, method="PATCH")
        assert changed.status == 200, changed
        return self

    def call(self, path: str, body: dict[str, Any] | None = None, *, method: str = "") -> Answer:
        """Call the store API."""
        keys = {"Authorization": f"Bearer {self.key}", "Idempotency_Key": str(uuid.uuid4())}
        return ask(f"{self.stack.url}{API}/{path}", body, method=method, **keys)

    def enroll(self) -> dict[str, Any]:
        """Enrol a customer; returns the card, its secret and its wallet addresses."""
        made = ask(f"{self.stack.url}{API}/storefront/loyalty/enroll", {"store_code": STORE, "language": "en"})
        assert made.status == 201, made
        return made.body

    def stamp(self, card_id: str) -> Answer:
        """Give a stamp, and remember how it went."""
        answer = self.call("store/loyalty/stamp", {"card_id": card_id, "confirm": True})
        self.stamps.append(answer)
        return answer


@dataclass
class FakePhone:
    """The phone of `FAKES=1`, moved as its page does."""

    url: str

    def state(self) -> dict[str, Any]:
        """Return what the page shows."""
        return ask(f"{self.url}/state").body

    def act(self, verb: str, **body: Any) -> None:
        """Press a button."""
        answer = ask(f"{self.url}/{verb}", body)
        assert answer.status == 200, answer

    def cards(self, kind: str) -> list[dict[str, Any]]:
        """Return the cards of one wallet."""
        return [card for card in self.state()["cards"] if card["kind"] == kind]

    def stamps(self, kind: str, card_number: int = -1) -> str:
        """Return what the newest card of a wallet shows as stamps, such as 3/10; "" when there is none."""
        cards = self.cards(kind)
        if not cards:
            return ""
        card = cards[card_number]
        if kind == "google":
            return str(card["object"].get("loyaltyPoints", {}).get("balance", {}).get("string", ""))
        places = card["pass"]["storeCard"].values()
        return next((str(one["value"]) for place in places for one in place if one["key"] == "stamps"), "")


def until(condition: Any, seconds: float, what: str) -> float:
    """Wait until something is so and return the seconds that it took; fails when it never is."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"no {what} after {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - began
