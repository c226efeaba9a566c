"""Every address is counted as docs/api.md says, over HTTP, in a real Valkey; at the limit: 429, nothing happens.

For each one: which counters went up by one request; with these at their limit a 429 that says when to come back; the
neighbour of the same IPv6 household is refused with it, and somebody else is not.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client
from django.utils import timezone

from core import tenancy, throttling
from core.throttling import _Counter
from loyalty.queries import access
from stores.models import Store
from tests.architecture import sweep
from tests.architecture.routes import ANYONE, CARD_API, CUSTOMER, PUBLIC_API, STORE_API
from tests.support.api import assert_problem
from tests.support.house import PIN, House, send, undone
from tests.support.own_api import FRONT, PAGES, body_for

APPS = {"core", "merchants", "stores", "customers", "loyalty", "wallets", "dashboard", "loyalty_platform"}
HOME, NEIGHBOUR, STRANGER = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:9:9::1"
COUNTED_HOME = "2001:db8:1:2::/64"
LIMITS = {
    "credential": (600, 1), "storefront": (60, 60), "enroll-address": (30, 3600), "enroll-store": (600, 3600),
    "recover": (30, 3600), "address": (30, 3600), "invite": (40, 3600), "invite-to": (5, 86400),
}  # fmt: skip
# What is counted besides what all addresses of its kind count.
MORE = {
    f"POST {FRONT}enroll": {"enroll-address", "enroll-store"},
    f"POST {FRONT}recover": {"recover"},
    f"PATCH {FRONT}profile": {"address"},
    "POST api/v1/merchant/team": {"invite", "invite-to"},
    "POST api/v1/merchant/team/invitations": {"invite", "invite-to"},
    "POST api/v1/merchant/team/invitations/<uuid:invitation_id>/resend": {"invite", "invite-to"},
}
# The document is the same for everybody and made once per process.
UNCOUNTED = {"api/schema/"}
STORE = [
    (f"{method} {pattern}", use) for pattern, route in sweep.routes(STORE_API) for method, use in route.uses.items()
]
OWN = [
    f"{method} {pattern}" for pattern, route in sweep.routes(CARD_API, PUBLIC_API) for method in route.methods
    if pattern not in UNCOUNTED
] + [f"POST {pattern}" for pattern, route in sweep.routes(ANYONE, CUSTOMER) if pattern.startswith(PAGES)]  # fmt: skip


class Gauge:
    """The counters in Valkey."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    def read(self) -> dict[str, int]:
        """Return each counter by name and subject, without its window."""
        keys = [key.decode() for key in self.client.keys("core:throttle:*")]
        return {key.removeprefix("core:throttle:").rsplit(":", 1)[0]: int(self.client.get(key) or 0) for key in keys}

    def fill(self, name: str) -> None:
        """Put the counter of this name at its limit, as other processes do; what this one knew is too old by then."""
        [key] = [key for key in self.client.keys("core:throttle:*") if key.decode().split(":")[2] == name]
        self.client.set(key, LIMITS[name][0])
        throttling._counter._shares.clear()


@pytest.fixture
def gauge(broker: str, house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gauge]:
    """The counters, without what making the house has counted."""
    monkeypatch.setattr(throttling, "_counter", _Counter())
    with redis.Redis.from_url(broker) as client:
        client.flushdb()
        yield Gauge(client)


@pytest.fixture
def house(db: None, time_machine: Any) -> House:
    """A house whose store gives on customers' phones; the clock stands in the middle of a window."""
    house = House.make("ours")
    with tenancy.scope(house.world.merchant_id):
        Store.objects.update(own_device_enabled=True)
    time_machine.move_to(timezone.now().replace(minute=30, second=30), tick=False)
    return house


def names(counters: dict[str, int]) -> set[str]:
    return {re.split(":", name)[0] for name in counters}


def ask(house: House, label: str, body: Any, proof: str, address: str = HOME) -> Any:
    method, pattern = label.split(" ", 1)
    client = Client(raise_request_exception=False, REMOTE_ADDR=address)
    with undone():
        return send(client, method, sweep.address(pattern, house.ids), body, Authorization=proof)


def passed(answer: Any) -> bool:
    """Whether it did what it does; a store that has a program cannot get another one."""
    return answer.status_code < 400 or answer.json()["code"] == "program_exists"


def refused(answer: Any, name: str) -> None:
    """The problem document of a 429, which says when to come back."""
    assert_problem(answer, 429, "throttled")
    assert 1 <= int(answer["Retry-After"]) <= LIMITS[name][1] + 1


@pytest.mark.parametrize(("label", "use"), STORE, ids=[label for label, _ in STORE])
def test_every_address_of_the_store_counts_the_key(house: House, gauge: Gauge, label: str, use: Any) -> None:
    key, other = f"Bearer {house.world.key_text}", f"Bearer {house.key(['read', 'earn', 'redeem', 'manage'])}"
    with undone():
        if use.first is not None:
            use.first(house)
        body = use.body_for(house)

        assert passed(ask(house, label, body, key))
        assert names(gauge.read()) == {"credential"} | MORE.get(label, set())
        assert gauge.read()[f"credential:{house.world.key.id}"] == 1

        gauge.fill("credential")
        before = house.picture(without=sweep.NOTED)
        refused(ask(house, label, body, key, STRANGER), "credential")
        assert house.picture(without=sweep.NOTED) == before
        assert passed(ask(house, label, body, other)), "another key is not held up"


@pytest.mark.parametrize("label", OWN)
def test_every_address_of_customers_counts_where_they_come_from(house: House, gauge: Gauge, label: str) -> None:
    method, pattern = label.split(" ", 1)
    body, card = body_for(method, pattern, house), f"Card {access.secret_of(house.card)}"
    proof = "" if label in (f"POST {FRONT}enroll", f"POST {FRONT}recover") else card

    assert ask(house, label, body, proof).status_code < 400
    assert names(gauge.read()) == {"storefront"} | MORE.get(label, set())
    assert gauge.read()[f"storefront:{COUNTED_HOME}"] == 1

    gauge.fill("storefront")
    before = house.picture()
    for address in (HOME, NEIGHBOUR):
        refused(ask(house, label, body, proof, address), "storefront")
    assert house.picture() == before
    assert ask(house, label, body, proof, STRANGER).status_code < 400


@pytest.mark.parametrize(
    ("label", "name", "others_pass"),
    [
        (f"POST {FRONT}enroll", "enroll-address", True), (f"POST {FRONT}enroll", "enroll-store", False),
        (f"POST {FRONT}recover", "recover", True), (f"PATCH {FRONT}profile", "address", False),
        ("POST api/v1/merchant/team/invitations", "invite", False),
        ("POST api/v1/merchant/team/invitations", "invite-to", False),
        ("POST api/v1/merchant/team", "invite", False),
    ],
)  # fmt: skip
def test_what_may_become_a_mail_or_a_card_has_a_limit_of_its_own(
    house: House, gauge: Gauge, label: str, name: str, others_pass: bool
) -> None:
    method, pattern = label.split(" ", 1)
    body = body_for(method, pattern, house) or {"email": "new@example.com", "role": "staff"}
    proof = {"enroll": "", "recover": "", "profile": f"Card {access.secret_of(house.card)}"}.get(
        pattern.rsplit("/", 1)[1], f"Bearer {house.world.key_text}"
    )  # fmt: skip
    assert ask(house, label, body, proof).status_code < 400

    gauge.fill(name)
    before = house.picture(without=sweep.NOTED)

    refused(ask(house, label, body, proof, NEIGHBOUR), name)
    assert house.picture(without=sweep.NOTED) == before
    assert (ask(house, label, body, proof, STRANGER).status_code < 400) is others_pass


def test_pages_share_the_counters_of_the_api(house: House, gauge: Gauge) -> None:
    """A script gains nothing by sending forms in place of JSON."""
    code, browser = house.world.store.code, house.customer(REMOTE_ADDR=HOME)
    stranger = Client(REMOTE_ADDR=HOME)

    stranger.post(f"/loyalty/{code}/enroll", {"name": "Paul"})
    stranger.post(f"/loyalty/{code}/recover", {"email": "marie@example.com"})
    browser.post(f"/stamp/{code}", {"pass_id": str(house.card.pk), "staff_pin": PIN})

    assert {f"{name}:{COUNTED_HOME}" for name in ("enroll-address", "recover", "storefront")} <= set(gauge.read())
    for name in ("enroll-address", "recover", "storefront"):
        gauge.fill(name)
    neighbour, phone = Client(REMOTE_ADDR=NEIGHBOUR), house.customer(REMOTE_ADDR=NEIGHBOUR)
    before = house.picture()
    answers = [
        neighbour.post(f"/loyalty/{code}/enroll", {"name": "Paul"}),
        neighbour.post(f"/loyalty/{code}/recover", {"email": "marie@example.com"}),
        phone.post(f"/stamp/{code}", {"pass_id": str(house.card.pk), "staff_pin": PIN}),
    ]
    assert [answer.status_code for answer in answers] == [429] * 3
    assert house.picture() == before


def test_the_setting_scales_what_is_counted_and_no_pin(house: House, gauge: Gauge, settings: Any) -> None:
    settings.LOYALTY_THROTTLE_SCALE = 2
    proof = f"Card {access.secret_of(house.card)}"
    ask(house, f"GET {FRONT}card", None, proof)

    gauge.fill("storefront")
    assert ask(house, f"GET {FRONT}card", None, proof).status_code == 200
    key = {"Authorization": f"Bearer {house.world.key_text}"}
    tries = [
        send(Client(), "POST", "/api/v1/store/loyalty/pins/verify", {"staff_pin": "111222"}, **key) for _ in "123456"
    ]
    assert [answer.status_code for answer in tries] == [403] * 5 + [423]


def test_without_redis_reads_and_stamps_go_on_and_guesses_do_not(house: House, gauge: Gauge, settings: Any) -> None:
    """PINs are counted in PostgreSQL: their limit holds. A pairing code is counted in Redis: nothing is tried."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    key, card = f"Bearer {house.world.key_text}", f"Card {access.secret_of(house.card)}"

    assert ask(house, "GET api/v1/store/loyalty/cards", None, key).status_code == 200
    assert ask(house, "POST api/v1/store/loyalty/stamp", {"card_id": str(house.card.pk)}, key).status_code == 201
    assert ask(house, f"GET {FRONT}card", None, card).status_code == 200
    assert ask(house, f"POST {FRONT}enroll", body_for("POST", f"{FRONT}enroll", house), "").status_code == 201
    assert Client().post("/pair", {"code": "ABCD2345"}).status_code == 429
    sent = {"Authorization": key}
    tries = [
        send(Client(), "POST", "/api/v1/store/loyalty/pins/verify", {"staff_pin": "111222"}, **sent) for _ in "123456"
    ]
    assert [answer.status_code for answer in tries] == [403] * 5 + [423]
    assert gauge.read() == {}


def test_all_that_customers_call_is_in_the_table() -> None:
    assert len(OWN) >= 11
    assert len(STORE) > 65


def test_nothing_is_counted_by_a_bare_address() -> None:
    """One IPv6 household has 2⁶⁴ addresses: limits count core.web.counted_address, records keep client_address."""
    found, calls = [], 0
    for path in Path(settings.BASE_DIR).glob("*/**/*.py"):
        if path.relative_to(settings.BASE_DIR).parts[0] in APPS:
            for call in [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]:
                name = ast.unparse(call.func).rsplit(".", 1)[-1]
                if name == "allow" or name.startswith("count_"):
                    calls += 1
                    found += [f"{path}:{call.lineno}"] * ("client_address" in ast.unparse(call))
    assert found == []
    assert calls > 10
