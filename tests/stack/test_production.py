"""The production topology, walked through: nginx with TLS → gunicorn → PgBouncer (transaction mode) → PostgreSQL."""

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from loyalty_platform.launcher import process
from tests.support import topology
from tests.support.servers import Endpoint
from tests.support.topology import PICTURE, Topology

pytestmark = pytest.mark.stack
GENTLE = ("web", "relay", "worker")
WAITING = "SELECT count(*) FROM core_outboxevent WHERE state <> 'sent'"
STAMP, ENROLL = "/api/v1/store/loyalty/stamp", "/api/v1/storefront/loyalty/enroll"


@pytest.fixture(scope="module")
def house(endpoint: Endpoint) -> Iterator[Topology]:
    """Yield the topology; without nginx and PgBouncer the tests are reported as skipped, in CI they fail."""
    absent = topology.missing()
    if absent:
        sentence = f"not here: {', '.join(absent)} (apt-get install nginx pgbouncer openssl)"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with Topology(endpoint, f"topology_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}") as running:
        yield running


@pytest.fixture
def client(house: Topology) -> Iterator[httpx.Client]:
    """Yield a client of the site, over HTTP/2 as browsers are."""
    with house.client(http2=True) as made:
        yield made


def stamp(client: httpx.Client, house: Topology, card: str, **headers: str) -> httpx.Response:
    """Give a stamp as a till does."""
    sent = {"Authorization": f"Bearer {house.shop['api_key']}", "Idempotency-Key": uuid4().hex, **headers}
    return client.post(STAMP, json={"card_id": card}, headers=sent)


class Till:
    """Stamps each card of the shop, one after the other, and keeps the answers by their keys."""

    def __init__(self, house: Topology) -> None:
        self.house, self.answers = house, dict[str, httpx.Response]()
        self._done = threading.Event()

    def with_status(self, status: int) -> list[httpx.Response]:
        """Return the answers of one status."""
        return [answer for answer in self.answers.values() if answer.status_code == status]

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Stamp for as long as the block runs."""
        threads = [threading.Thread(target=self._work, args=(card,)) for card in self.house.shop["cards"]]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._done.set()
            for thread in threads:
                thread.join()

    def _work(self, card: str) -> None:
        with self.house.client() as client:
            while not self._done.is_set():
                key = uuid4().hex
                self.answers[key] = answer = stamp(client, self.house, card, **{"Idempotency-Key": key})
                time.sleep(0.1 if answer.status_code == 503 else 0)


def test_it_works(house: Topology, client: httpx.Client) -> None:
    alive, ready = client.get("/healthz"), client.get("/readyz")

    assert (alive.status_code, alive.http_version) == (200, "HTTP/2")
    assert ready.json() == {"status": "ok", "checks": {"database": "ok", "broker": "ok", "migrations": "ok"}}
    assert alive.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    plain = httpx.get(f"http://127.0.0.1:{house.plain_port}/signup/?a=b", headers={"Host": "localhost"})
    assert (plain.status_code, plain.headers["Location"]) == (301, "https://localhost/signup/?a=b")
    assert httpx.get(f"http://127.0.0.1:{house.plain_port}/nginx-healthz").text == "ok\n"
    assert client.get("/metrics").status_code == 404
    assert "http_requests_total" in client.get("/metrics", headers={"Authorization": "Bearer watch"}).text


def test_somebody_signs_in(house: Topology, client: httpx.Client) -> None:
    page = client.get("/accounts/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "login": house.shop["owner_email"], "password": "demo-loyalty-2026"}

    done = client.post("/accounts/login/", data=form, headers={"Origin": house.url, "Referer": str(page.url)})
    inside = client.get(f"/store/{house.shop['store_code']}/loyalty/cards")

    assert (done.status_code, inside.status_code) == (302, 200), done.text[:2000]
    assert page.headers["Content-Encoding"] == "gzip"
    assert all("Secure" in cookie for cookie in done.headers.get_list("Set-Cookie"))


def test_a_customer_enrols_and_is_stamped_and_the_workers_hear_of_it(house: Topology, client: httpx.Client) -> None:
    spoofed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Request-ID": "chosen-by-the-client"}
    made = client.post(ENROLL, json={"store_code": house.shop["store_code"], "language": "en"}, headers=spoofed)
    card = made.json()["card"]["id"]
    given = [stamp(client, house, card, **spoofed) for _ in range(30)]

    assert made.status_code == 201
    assert [answer.status_code for answer in given] == [201] * 30
    seen = house.rows("SELECT DISTINCT host(ip) FROM loyalty_transactiondetail WHERE ip IS NOT NULL")
    assert seen == [("127.0.0.1",)], "the address is the one that nginx saw, not the one that the client claims"
    assert all(len(answer.headers["X-Request-ID"]) == 32 for answer in given)
    assert process.wait_until(lambda: house.rows(WAITING) == [(0,)], 15), house.ends_of_logs()
    assert (house.folder / "relay-pulse").exists()


def test_many_at_once_share_few_connections(house: Topology) -> None:
    """Forty callers on two processes; PgBouncer gives each transaction whatever connection is free."""
    statuses: list[int] = []

    def work(number: int) -> None:
        with house.client() as client:
            card = house.shop["cards"][number % 5]
            statuses.extend(stamp(client, house, card).status_code for _ in range(6))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # A card that is busy for half a second says so (409): five cards for twenty callers.
    assert len(statuses) == 120
    assert set(statuses) <= {201, 409}
    assert statuses.count(201) > 60
    given = "SELECT count(*), sum(stamps_delta) FILTER (WHERE type = 'stamp_earned') FROM loyalty_transaction"
    assert house.rows(f"{given} WHERE card_id = ANY(%s)", house.shop["cards"])[0][1] == statuses.count(201)


def test_files_come_from_nginx_and_may_be_kept(house: Topology, client: httpx.Client) -> None:
    page = client.get("/accounts/login/").text
    sheet = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
    assert sheet
    kept, picture = client.get(sheet[1]), client.get(f"/media/{PICTURE}")

    assert (kept.status_code, kept.headers["Content-Encoding"]) == (200, "gzip")
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["Content-Type"].startswith("text/css")
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")
    assert "immutable" in picture.headers["Cache-Control"]
    for answer in (kept, picture):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "X-Request-ID" not in answer.headers, "this went to the web process"
    assert client.get("/media/wallets/notes.txt").status_code == 404
    assert client.get("/static/nothing.css").status_code == 404


def test_ten_megabytes_are_refused(house: Topology) -> None:
    body = b'{"card_id": "' + b"x" * 10_000_000 + b'"}'
    key = {"Authorization": f"Bearer {house.shop['api_key']}", "Content-Type": "application/json"}

    with house.client() as client:
        answer, page = client.post(STAMP, content=body, headers=key), client.post("/signup/", content=body)

    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (page.status_code, page.headers["Content-Type"]) == (413, "text/html")


def test_while_the_database_is_away_everybody_hears_when_to_come_back(house: Topology, client: httpx.Client) -> None:
    try:
        house.allow_database(allowed=False)
        began = time.monotonic()
        api = stamp(client, house, house.shop["cards"][0])
        page = client.get(f"/loyalty/{house.shop['store_code']}/enroll")
        took = time.monotonic() - began
        alive = client.get("/healthz")
    finally:
        house.allow_database(allowed=True)

    assert (api.status_code, api.headers["Retry-After"], api.json()["code"]) == (503, "5", "service_unavailable")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert alive.status_code == 200
    assert took < 12
    house.wait_until_ready(15)
    assert stamp(client, house, house.shop["cards"][0]).status_code == 201


def test_a_restart_of_the_web_finishes_what_runs_and_meanwhile_nginx_answers(house: Topology) -> None:
    """Stamps go on while all are told to stop: each is answered, or refused (503) and then not done."""
    till = Till(house)
    with till.busy(), house.client() as client:
        time.sleep(1)
        for name in GENTLE:
            house.parts[name].terminate()
        ended = [house.parts[name].wait(25) for name in GENTLE]
        page = client.get("/signup/")
        house.start_web()
        house.start_workers()
        house.wait_until_ready()
        time.sleep(0.5)

    known = {row[0] for row in house.rows("SELECT idempotency_key FROM loyalty_transaction")}
    refused = {(answer.headers["Retry-After"], answer.headers["Content-Type"]) for answer in till.with_status(503)}
    assert ended == [0, 0, 0]
    assert process.wait_until(lambda: house.rows(WAITING) == [(0,)], 20), house.ends_of_logs()
    assert {answer.status_code for answer in till.answers.values()} == {201, 503}
    assert refused == {("5", "application/problem+json")}
    assert all((key in known) == (answer.status_code == 201) for key, answer in till.answers.items())
    assert (page.status_code, page.headers["Retry-After"], page.headers["Content-Type"]) == (503, "5", "text/html")


def test_lines_name_request_and_merchant_and_nobody(house: Topology, client: httpx.Client) -> None:
    person = {"email": "canary.person@example.org", "name": "Canary Person"}
    client.post(ENROLL, json={"store_code": house.shop["store_code"], "language": "en", **person})
    client.get("/c/canary-code?token=canary-token")
    number = stamp(client, house, house.shop["cards"][1]).headers["X-Request-ID"]
    process.wait_until(lambda: number in house.log("web"), 5)

    web = [json.loads(line) for line in house.log("web").splitlines() if line.startswith("{")]
    nginx = [json.loads(line) for line in house.log("nginx").splitlines() if line.startswith("{")]
    line = next(line for line in web if line.get("request_id") == number)
    assert (line["route"], line["status"], line["method"]) == (STAMP[1:], 201, "POST")
    assert line["merchant_id"] == house.shop["merchant_id"]
    assert [(line["status"], line["upstream_status"]) for line in nginx if line["request_id"] == number] == [
        (201, "201")
    ]
    for name in ("web", "nginx", "relay", "worker", "pgbouncer"):
        said = house.log(name)
        for secret in ("canary", house.shop["api_key"], house.shop["pin"], house.shop["owner_email"]):
            assert secret not in said, (name, secret)
