"""How soon passes follow: stamp → push → iPhone at 100 stamps a second, stamp → Google's object at 10 a second.

`python -m tests.bench.wallet_lag` starts the whole product in a copy of the tree, with the fakes in this process, and
prints one line of JSON. A phone per card registers, and fetches when it is pushed, as a real one does.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.fakes.google import FakeGoogle
from tests.fakes.shown_pass import ShownPass
from tests.stack.harness import Stack, free_port, stack_folder
from tests.stack.shop import STORE, Shop, ask, until

PASS_TYPE, TEAM, TOKEN = "pass.dev.stempel.bench", "BENCH12345", "a-token-for-the-figures"
LATENCY = 0.02
CARDS, SENDERS, READERS = 400, 8, 16
APPLE_RATE, GOOGLE_RATE, SECONDS, QUIET_SECONDS = 100, 10, 12, 60
SERVICE = "/api/v1/loyalty/apple/v1"
_local = threading.local()


@dataclass
class Given:
    """A stamp that was committed: which card, how many it then had, when it was asked for and when the till knew."""

    card: str
    count: int
    asked: float
    at: float


@dataclass
class LagPhone:
    """A phone with one pass; `seen` says since when it shows how many stamps, `pushed` when it was pushed."""

    card: str
    address: str
    site: str
    serial: str = ""
    token: str = ""
    tag: str = ""
    seen: list[tuple[float, int]] = field(default_factory=list)
    pushed: list[float] = field(default_factory=list)

    @property
    def push_token(self) -> str:
        """The token by which the push service knows it."""
        return self.card.replace("-", "") * 2

    def register(self) -> None:
        """Download the pass and ask to be told."""
        parts = urlsplit(self.address)
        self._read(call(self.site, "GET", f"{parts.path}?{parts.query}"))
        path = f"{SERVICE}/devices/{self.card}/registrations/{PASS_TYPE}/{self.serial}"
        status, _ = call(self.site, "POST", path, {"pushToken": self.push_token}, self._proof())
        assert status == 201, status

    def react(self) -> None:
        """List and fetch."""
        path = f"{SERVICE}/devices/{self.card}/registrations/{PASS_TYPE}"
        status, body = call(self.site, "GET", f"{path}?passesUpdatedSince={self.tag}" if self.tag else path)
        if status == 200:
            self.tag = json.loads(body)["lastUpdated"]
            self._read(call(self.site, "GET", f"{SERVICE}/passes/{PASS_TYPE}/{self.serial}", None, self._proof()))

    def _proof(self) -> dict[str, str]:
        return {"Authorization": f"ApplePass {self.token}"}

    def _read(self, answer: tuple[int, bytes]) -> None:
        status, body = answer
        assert status == 200, (status, body[:200])
        shown = ShownPass(body).pass_json
        self.serial, self.token = shown["serialNumber"], shown["authenticationToken"]
        places = [fields for fields in shown["storeCard"].values() if isinstance(fields, list)]
        stamps = next(str(one["value"]) for fields in places for one in fields if one["key"] == "stamps")
        self.seen.append((time.time(), int(stamps.partition("/")[0])))


def call(
    site: str, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:  # fmt: skip
    """Ask over this thread's own connection."""
    host = urlsplit(site).netloc
    connection = getattr(_local, "connection", None)
    for again in (True, False):
        if connection is None:
            connection = _local.connection = http.client.HTTPConnection(host, timeout=30)
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            connection = None
            if not again:
                raise
    raise AssertionError


class Bench:
    """The stack, the fakes, and a phone per card."""

    def __init__(self, stack: Stack, apns: FakeApns, google: FakeGoogle) -> None:
        self.stack, self.apns, self.google = stack, apns, google
        self.readers = ThreadPoolExecutor(READERS)
        self.shop = Shop(stack).open()
        self.objects: dict[str, list[tuple[float, int]]] = {}

    def enroll(self) -> None:
        """Enrol customers whose phones hold the pass, and wait until everybody was told of everything."""
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: self.shop.enroll(), range(CARDS)))
            self.phones = [LagPhone(one["card"]["id"], one["wallet"]["apple_url"], self.stack.url) for one in made]
            list(pool.map(LagPhone.register, self.phones))
        self.apns.hooks = {phone.push_token: self._waker(phone) for phone in self.phones}
        self.rest()

    def rest(self) -> None:
        """Wait until nothing is waiting."""
        until(lambda: self._open() == 0, QUIET_SECONDS + CARDS / 15, "empty queues")

    def give(self, rate: float, seconds: float) -> list[Given]:
        """Give stamps at an even rate, one card after the other; returns them as they were committed."""
        began, total = time.time() + 0.5, int(rate * seconds)
        given: list[Given] = []

        def stamp(number: int) -> None:
            time.sleep(max(0.0, began + number / rate - time.time()))
            phone = self.phones[number % len(self.phones)]
            asked = time.time()
            keys = {"Authorization": f"Bearer {self.shop.key}", "Idempotency-Key": f"{began}-{number}"}
            body = {"card_id": phone.card, "confirm": True}
            status, said = call(self.stack.url, "POST", "/api/v1/store/loyalty/stamp", body, keys)
            assert status == 201, said
            given.append(Given(phone.card, json.loads(said)["stamp_count"], asked, time.time()))

        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(stamp, range(total)))
        return given

    def google_lag(self) -> dict[str, float]:
        """Measure stamp → Google's object."""
        names = self._names_by_card()
        given = self.give(GOOGLE_RATE, SECONDS)

        def all_there() -> bool:
            seen = self._at_google()
            return all(first(seen.get(names[one.card], []), one) is not None for one in given)

        # Empty queues alone would not do: the last stamp may not have been noted yet.
        until(all_there, QUIET_SECONDS, "objects")
        self.rest()
        seen = self._at_google()
        return figures([first(seen.get(names[one.card], []), one) for one in given])

    def _at_google(self) -> dict[str, list[tuple[float, int]]]:
        """Return when which number of stamps was shown, by object."""
        seen: dict[str, list[tuple[float, int]]] = {}
        offset = time.time() - time.monotonic()
        for one in self.google.calls():
            points = (one.body or {}).get("loyaltyPoints") if one.method in {"PATCH", "POST"} else None
            if one.status == 200 and points:
                name = one.path.rpartition("/")[2] if one.method == "PATCH" else one.body["id"]
                count = int(points["balance"]["string"].partition("/")[0])
                seen.setdefault(name, []).append((one.at + offset, count))
        return seen

    def apple_lag(self) -> dict[str, dict[str, float]]:
        """Measure stamp → push and stamp → iPhone."""
        phones = {phone.card: phone for phone in self.phones}
        given = self.give(APPLE_RATE, SECONDS)
        until(lambda: all(first(phones[one.card].seen, one) is not None for one in given), QUIET_SECONDS, "passes")
        self.rest()
        pushes = [
            min((max(at - one.at, 0.0) for at in phones[one.card].pushed if at >= one.asked), default=None)
            for one in given
        ]
        return {
            "push": figures(pushes),
            "iphone": figures([first(phones[one.card].seen, one) for one in given]),
            "pushes_per_stamp": {"mean": round(sum(len(phone.pushed) for phone in self.phones) / len(given), 2)},
        }  # fmt: skip

    def _waker(self, phone: LagPhone) -> Callable[[str], None]:
        def wake(_: str) -> None:
            phone.pushed.append(time.time())
            self.readers.submit(phone.react)

        return wake

    def _open(self) -> float:
        text = ask(f"{self.stack.url}/metrics", Authorization=f"Bearer {TOKEN}").body["text"]
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("wallet_queue_rows"))

    def _names_by_card(self) -> dict[str, str]:
        code = (
            "from core import tenancy; from wallets.models import GooglePass; import json\n"
            "with tenancy.platform(reason='bench'):\n"
            " print('MAP' + json.dumps({str(c): o for c, o in GooglePass.objects.values_list('card_id', 'object_id')}))"
        )
        said = self.stack.manage("shell", "-c", code)
        return dict(json.loads(said[said.index("MAP") + 3 :]))


def first(seen: list[tuple[float, int]], given: Given) -> float | None:
    """Return after how many seconds a stamp, or a later one, was shown; None when it never was."""
    found = [at - given.at for at, count in seen if count >= given.count]
    return max(min(found), 0.0) if found else None


def figures(lags: list[float | None]) -> dict[str, float]:
    """Return percentiles of seconds, and how many never came."""
    came = sorted(lag for lag in lags if lag is not None)
    pick = {name: round(came[min(len(came) - 1, int(len(came) * share))], 2) for name, share in SHARES.items()}
    return {**pick, "stamps": len(lags), "lost": len(lags) - len(came)}


SHARES = {"p50": 0.5, "p95": 0.95, "max": 1.0}


@contextmanager
def stage() -> Iterator[Bench]:
    """Yield a running stack with the fakes wired in."""
    with ExitStack() as things:
        files = credentials.prepare(
            Path(things.enter_context(TemporaryDirectory(prefix="bench "))), pass_type=PASS_TYPE, team=TEAM
        )  # fmt: skip
        google = things.enter_context(FakeGoogle())
        google.faults.latency = LATENCY
        google.write_account(files.service_account)
        apns = things.enter_context(
            FakeApns(files.apns_certificate, files.apns_key, files.clients, port=free_port(), latency=LATENCY)
        )
        wired = {
            "METRICS_TOKEN": TOKEN, "LOYALTY_APPLE_PASS_TYPE_ID": PASS_TYPE, "LOYALTY_APPLE_TEAM_ID": TEAM,
            "LOYALTY_APPLE_WWDR_CERT_PATH": str(files.intermediate),
            "LOYALTY_APPLE_SIGNER_CERT_PATH": str(files.signer),
            "LOYALTY_APPLE_SIGNER_KEY_PATH": str(files.signer_key), "LOYALTY_APPLE_APNS_URL": apns.url,
            "LOYALTY_APPLE_APNS_CA_PATH": str(files.apns_ca), "LOYALTY_GOOGLE_ISSUER_ID": google.issuer,
            "LOYALTY_GOOGLE_API_BASE": google.url,
            "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON": str(files.service_account), "LOYALTY_THROTTLE_SCALE": "100000",
        }  # fmt: skip
        stack = things.enter_context(Stack(stack_folder(), env=wired))
        yield Bench(stack.start(), apns, google)


def main() -> int:
    """Measure and print."""
    with stage() as bench:
        print(f"Enrolling {CARDS} customers at {STORE} ...", file=sys.stderr, flush=True)
        bench.enroll()
        google = bench.google_lag()
        apple = bench.apple_lag()
    print(json.dumps({"google_at_10": google, "apple_at_100": apple}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
