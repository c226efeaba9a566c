"""Promise 8 from inside: two merchants; everybody of the second asks for everything of the first, over real HTTP."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from core.ids import uuid7
from tests.architecture import sweep
from tests.architecture.routes import (
    ADMIN,
    ANYONE,
    CARD_API,
    CUSTOMER,
    DEVICE,
    MERCHANT_PAGE,
    OWN_CARD,
    PERSON,
    PICTURE,
    PUBLIC_API,
    SIGNED,
    STORE_API,
    STORE_PAGE,
    TERMINAL_PAGE,
    Use,
)
from tests.drills.inside import callers, insiders
from tests.drills.wire import Answer, Browser
from tests.support import own_api
from tests.support.document import OPERATIONS, THINGS
from tests.support.house import House
from tests.support.uploads import form

THREADS = 6
REFUSED = (400, 401, 403, 404, 405, 409, 423)
# Who holds every right at their own shop: only for them a foreign id is a plain 404, others may be refused before.
FULL = ("key", "owner")
STAFFLIKE = ("manager", "staff", "till")
SHORT_STEP = 3
SHORT_CALLERS = ("key", "owner", "till")
BOUNDARY = "multipart/form-data; boundary=BoUnDaRyStRiNg"


@dataclass(frozen=True)
class Try:
    """One request about something foreign, and how it may be answered. public: whether the shop's words may show."""

    who: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    allowed: tuple[int, ...] = (404,)
    public: bool = False
    about: str = ""


def main(*, base: str, short: bool) -> dict[str, Any]:
    """Make two houses, try everything, and tell what was answered wrongly, what leaked, and what changed."""
    ours, theirs = callers.house("ours"), callers.house("theirs")
    own = callers.everybody(ours, base)
    everybody = callers.everybody(theirs, base)
    warm = [own["key"].ask("GET", "/api/v1/store/loyalty/cards"), everybody["key"].ask("GET", "/api/v1/merchant")]
    before = insiders.settled(ours)
    tries = list(_all(ours, theirs, SHORT_CALLERS if short else (*FULL, *STAFFLIKE)))
    if short:
        tries = _thinned(tries)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda one: _ask(everybody, one, ours), tries))
    faults = [fault for fault, _ in found if fault]
    tasks = insiders.tasks(ours, theirs)
    sql = insiders.statements(ours, theirs)
    changed = insiders.differences(ours, before)
    swept = {one.about for one in tries}
    return {
        "requests": len(tries), "statuses": Counter(status for _, status in found), "faults": faults,
        "missing": sorted(set(OPERATIONS) - swept), "routes": len(swept), "tasks": tasks, "sql": sql,
        "changed": changed, "canary_seen_by_owner": _seen(own, ours), "warm": [one.status_code for one in warm],
    }  # fmt: skip


def _thinned(tries: list[Try]) -> list[Try]:
    """Keep the first request of every address, and every third of the rest."""
    first = {one.about: number for number, one in reversed(list(enumerate(tries)))}
    return [one for number, one in enumerate(tries) if first[one.about] == number or number % SHORT_STEP == 0]


def _ask(everybody: dict[str, Browser], one: Try, ours: House) -> tuple[str, int]:
    answer: Answer = everybody[one.who].ask(one.method, one.path, one.body, **one.headers)
    leaked = sweep.leaked(answer, ours, public_too=not one.public)
    words = [word for word in leaked if word not in str(one.body) + str(one.headers)]
    fault = ""
    if answer.status_code not in one.allowed or words:
        fault = f"{one.who} {one.method} {one.about} {one.path[:90]}: {answer.status_code} {words}"
    return fault, answer.status_code


def _seen(own: dict[str, Browser], ours: House) -> int:
    """Count the canaries that their owner sees, so that the search is known to find them."""
    pages = ("/api/v1/store/loyalty/cards", "/api/v1/merchant/exports/customers.csv", "/api/v1/merchant")
    answers = [own["key"].ask("GET", path) for path in pages]
    return len({word for answer in answers for word in sweep.leaked(answer, ours, public_too=True)})


def _all(ours: House, theirs: House, who: tuple[str, ...]) -> Iterator[Try]:
    yield from _store_api(ours, theirs, who)
    yield from _lists(ours, theirs, who)
    yield from _pages(ours, theirs, [name for name in who if name != "key"])
    yield from _customers(ours, theirs)
    yield from _wallets(ours)
    yield from _platform(ours)


def _store_api(ours: House, theirs: House, who: tuple[str, ...]) -> Iterator[Try]:
    """Foreign ids in the path, in the body, in a reference, in a batch, and a foreign store in the header."""
    for pattern, route in sweep.routes(STORE_API):
        for method, use in route.uses.items():
            label = _label(method, pattern)
            for name in who:
                alone = (404,) if name in FULL else (401, 403, 404)
                body, kind = _body(use, theirs)
                if sweep.names_in(pattern):
                    yield Try(name, method, sweep.address(pattern, ours.ids), body, kind, alone, about=label)
                store = {**kind, "X_Store_Code": ours.world.store.code}
                yield Try(name, method, sweep.address(pattern, theirs.ids), body, store, alone, about=label)
                if use.names_things:
                    yield from _bodies(name, method, pattern, use, ours, theirs)
    for name in who:
        yield _batch(name, ours)


def _bodies(who: str, method: str, pattern: str, use: Use, ours: House, theirs: House) -> Iterator[Try]:
    path, label = sweep.address(pattern, theirs.ids), _label(method, pattern)
    body: Any = use.body_for(ours)
    yield Try(who, method, path, body, allowed=REFUSED, about=label)
    if "card_id" in body:
        rest = {name: value for name, value in (use.body_for(theirs) or {}).items() if name != "card_id"}  # type: ignore[union-attr]
        codes = (ours.card.qr_code_data, f"http://127.0.0.1:8000/c/{ours.card.qr_code_data}")
        for name, value in (("card_number", ours.card.card_number), *(("qr_code", code) for code in codes)):
            yield Try(who, method, path, {**rest, name: value}, allowed=(401, 403, 404), about=label)


def _batch(who: str, ours: House) -> Try:
    at = ours.world.at.isoformat()
    operations = [
        {"key": f"drill-{uuid7()}", "op": op, "occurred_at": at, "card_id": str(ours.card.pk), **more}
        for op, more in (("stamp", {}), ("points", {"purchase_amount_cents": 500}))
    ]
    path = "/api/v1/store/loyalty/terminal/batch"
    # A batch as a whole is answered 200: each of its operations is refused by itself, and nothing may change.
    return Try(who, "POST", path, {"operations": operations}, allowed=(200, 401, 403), about=f"POST {path}")


def _lists(ours: House, theirs: House, who: tuple[str, ...]) -> Iterator[Try]:
    """One's own lists, exports and searches, and every name of a query that stands for a thing."""
    words = [*ours.private_words[:2], ours.card.card_number, "M", "%"]
    for label, operation in OPERATIONS.items():
        if not label.startswith("GET /api/v1/") or "/admin/" in label:
            continue
        path = "/" + operation.path.lstrip("/").format(**_texts(theirs))
        names = [one.name for one in operation.query]
        queries = [f"{name}={quote(str(ours.ids[THINGS[name]]))}" for name in names if name in THINGS]
        queries += [f"search={quote(word)}" for word in words if "search" in names]
        for name in who if "/storefront/" not in label else ("card",):
            for query in ("", *queries):
                full = f"{path}?{query}" if query else path
                yield Try(name, "GET", full, allowed=(200, 400, 401, 403, 404), about=label)
    for name in who:
        body = {"query": ours.private_words[0]}
        yield Try(
            name, "POST", "/api/v1/store/loyalty/cards/lookup", body, allowed=(200, 403, 404),
            about="POST /api/v1/store/loyalty/cards/lookup",
        )  # fmt: skip


def _pages(ours: House, theirs: House, who: list[str]) -> Iterator[Try]:
    """The back office and the till: the foreign store, one's own store with foreign ids, one by one and all."""
    for pattern, route in sweep.routes(STORE_PAGE, TERMINAL_PAGE, MERCHANT_PAGE):
        names = [name for name in sweep.names_in(pattern) if name.endswith("_id") or name == "store_code"]
        if not names:
            continue
        mixes = [dict.fromkeys(names)] + [{name: None} for name in names if len(names) > 1]
        for mix in mixes:
            ids = {**theirs.ids, **{name: ours.ids[name] for name in mix}}
            path = sweep.address(pattern, ids)
            for method in route.methods:
                body = [("name", "Changed"), ("role", "owner")] if method == "POST" else None
                for name in who:
                    yield Try(name, method, path, body, {}, _page_answers(names, mix, name, method), about=pattern)


def _page_answers(names: list[str], mix: dict[str, Any], who: str, method: str) -> tuple[int, ...]:
    """A foreign thing is not there; a till is led away from the back office, staff are refused what is not theirs."""
    led = {"till": (302, 404), "staff": (403, 404)}.get(who, (404,))
    # A bad form may be refused before the second id of an address is looked at.
    return (*led, 400) if method == "POST" and len(names) > 1 and len(mix) < len(names) else led


def _customers(ours: House, theirs: House) -> Iterator[Try]:
    """The customer of the one shop at the other's doors; strangers everywhere."""
    store = ours.world.store.code
    for pattern, route in sweep.routes(CARD_API):
        for method in route.methods:
            body: Any = own_api.body_for(method, pattern, ours) if method != "GET" else None
            body = {**(body or {}), "store_code": store} if method != "GET" else None
            path = sweep.address(pattern, ours.ids) + (f"?store_code={store}" if method == "GET" else "")
            # An unknown name in the body is refused first; a customer's own card may be answered, and no other.
            yield Try("card", method, path, body, allowed=(200, 400, 404), about=_label(method, pattern))
            yield Try("nobody", method, path, body, allowed=(401,), about=_label(method, pattern))
    for page in own_api.PAGES:
        pattern = f"{page}<str:store_code>"
        filled = own_api.body_for("POST", pattern, ours)
        for who in ("card", "customer", "owner", "nobody"):
            yield Try(
                who, "POST", sweep.address(pattern, ours.ids), filled, allowed=(401, 403, 404), public=True,
                about=_label("POST", pattern),
            )  # fmt: skip
    for pattern, route in sweep.routes(CUSTOMER, ANYONE, PUBLIC_API, OWN_CARD, PERSON, PICTURE, SIGNED):
        for method in route.methods if route.who == PUBLIC_API else ("GET",):
            # Whoever enrols at a shop changes it, as they should: what is written goes to the other one.
            there = {"store_code": theirs.world.store.code, "email": "nobody@example.com"}
            body = there if method == "POST" else None
            for who in ("customer", "owner", "till", "nobody"):
                yield Try(
                    who, method, sweep.address(pattern, {**ours.ids, "key": "x"}), body, public=True,
                    allowed=(200, 201, 202, 302, 303, 400, 404, 405, 410, 429), about=_label(method, pattern),
                )  # fmt: skip


def _wallets(ours: House) -> Iterator[Try]:
    """Another one's pass, by its serial number, with a token of nobody."""
    for pattern, route in sweep.routes(DEVICE):
        for method in route.methods:
            body = {"pushToken": "ab" * 32, "logs": []} if method == "POST" else None
            headers = {"Authorization": f"ApplePass {'x' * 32}"}
            yield Try(
                "nobody", method, sweep.address(pattern, ours.ids), body, headers,
                allowed=(200, 204, 400, 401, 404, 429), about=_label(method, pattern),
            )  # fmt: skip


def _platform(ours: House) -> Iterator[Try]:
    """The platform's own doors, for a merchant's people."""
    ids = {**ours.ids, "object_id": ours.card.pk, "content_type_id": 1, "id": 1, "app_label": "loyalty", "url": "x"}
    for pattern, _ in sweep.routes(ADMIN):
        for who in ("owner", "key", "till", "nobody"):
            path = sweep.address(pattern, ids)
            yield Try(who, "GET", path, allowed=(401, 403, 404), about=_label("GET", pattern))
    for pattern, _ in sweep.patterns():
        if pattern.startswith("admin/") and pattern not in ("admin/login/", "admin/logout/", "admin/jsi18n/"):
            for who in ("owner", "nobody"):
                yield Try(who, "GET", sweep.address(pattern, ids), allowed=(302, 403, 404), about="admin")


def _body(use: Use, house: House) -> tuple[Any, dict[str, str]]:
    if use.image:
        return form(), {"Content_Type": BOUNDARY}
    return use.body_for(house), {}


def _texts(house: House) -> dict[str, str]:
    return {name: str(value) for name, value in house.ids.items()}


def _label(method: str, pattern: str) -> str:
    return f"{method} /" + sweep.PLACEHOLDER.sub(lambda name: f"{{{name[1]}}}", pattern)
