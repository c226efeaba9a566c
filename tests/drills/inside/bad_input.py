"""Promise 16 from inside: nonsense in every field, body, query, header and address of a house, over real HTTP.

What was refused is sent a second time, and the house has to look the same before and after: nothing is half done.
"""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.api import test_bad_input as known
from tests.architecture import sweep
from tests.drills.inside import callers, insiders
from tests.drills.wire import Answer, Browser
from tests.support.house import House
from tests.support.own_api import PAGES

THREADS = 6
SEED = 16
# The short form sends so many of all cases.
SHORT_SHARE = 0.05
MORE: list[Any] = [
    2**63 - 1,
    2**63,
    -(2**63),
    1e308,
    -1e-308,
    "\u202e\u2066x",
    "\x7f",
    "\ufeff",
    "a" * 100_000,
    {"a": {"b": [1] * 500}},
]
HEADERS = (
    "X-Store-Code",
    "X-Terminal",
    "Accept-Language",
    "User-Agent",
    "Accept",
    "Idempotency-Key",
    "Authorization",
    "Cookie",
    "Content-Type",
)
HEADER_VALUES = ("x" * 6000, "%00", "\xe4\xf6", ",,,,;;;", "'\"--", "-1", "{}", "text/html;q=nan", "lk_%s", "=;=;\x7f")
CODES = ("%00", "a%00b", "%ff", "%20", "x" * 3000, "%2e%2e%2f", "%E2%80%AE", "%25", "'", "-", "%0d%0aX: y")
QUERY_VALUES = ("\x00", "x" * 3000, "\u202e", "-1", "0", "9" * 30, "1.5", "٣", "e30", "W10=", "null", "[", "%", "NaN")
# What ends things comes last, so that everything before finds them.
LAST = ("erase", "merge", "freeze", "DELETE")


@dataclass(frozen=True)
class Case:
    """One request. who: the caller's name; page: whether it is a person's page, which answers in HTML."""

    who: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    page: bool = False


def main(*, base: str, short: bool) -> dict[str, Any]:
    """Send everything, then what was refused once more, and tell what broke and what changed."""
    house = callers.house("bad")
    everybody = callers.everybody(house, base)
    cases = [*_fields(house), *_texts(house), *_queries(house), *_headers(house), *_addresses(house)]
    cases.sort(key=lambda case: any(word in f"{case.method} {case.path}" for word in LAST))
    if short:
        chosen = random.Random(SEED)
        cases = [case for case in cases if chosen.random() < SHORT_SHARE]
    first = _send(everybody, cases)
    refused = [case for case, (status, _) in zip(cases, first, strict=True) if 400 <= status < 500]
    before = insiders.settled(house, known.LEFT)
    again = _send(everybody, refused)
    kept = [status for status, _ in again if status < 400]
    answered = [*zip(cases, first, strict=True), *zip(refused, again, strict=True)]
    faults = [f"{case.method} {case.path[:80]} {str(case.body)[:80]} {str(case.headers)[:60]}: {fault}"
              for case, (_, fault) in answered if fault]  # fmt: skip
    return {
        "requests": len(first) + len(again), "statuses": Counter(status for status, _ in [*first, *again]),
        "faults": faults, "accepted at the second try": len(kept),
        # A refusal such as "busy" may turn into a success, which is whole; else nothing may have changed.
        "half done": insiders.differences(house, before, known.LEFT) if not kept else {},
    }  # fmt: skip


def _send(everybody: dict[str, Browser], cases: list[Case]) -> list[tuple[int, str]]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda case: _one(everybody[case.who], case), cases))


def _one(browser: Browser, case: Case) -> tuple[int, str]:
    answer: Answer = browser.ask(case.method, case.path, case.body, **case.headers)
    if answer.status_code >= 500:
        return answer.status_code, f"{answer.status_code} {answer.content[:200]!r}"
    # Gunicorn refuses some headers itself, before the product sees them.
    if case.page or (case.headers and answer.get("Content-Type", "").startswith("text/html")):
        return answer.status_code, ""
    return answer.status_code, known.fault(answer)


def _who(pattern: str) -> str:
    return "card" if "storefront" in pattern or pattern.startswith(PAGES) else "key"


def _fields(house: House) -> Iterator[Case]:
    """Every field of every body with every value."""
    for pattern, method, use in known.WRITES:
        body: Any = use.body_for(house) or {}
        path = sweep.address(pattern, house.ids)
        for name in [*body, "no_such_field"]:
            for value in [*known.VALUES, *MORE]:
                yield Case(_who(pattern), method, path, {**body, name: value})


def _texts(house: House) -> Iterator[Case]:
    for pattern, method, use in known.WRITES:
        if use.body:
            for text in known.TEXTS:
                yield Case(_who(pattern), method, sweep.address(pattern, house.ids), text)


def _queries(house: House) -> Iterator[Case]:
    for path, names in known.QUERIES.items():
        if "/admin/" not in path:
            for name in names.split():
                for value in QUERY_VALUES:
                    yield Case(_who(path), "GET", f"/api/{path.format(**house.ids)}?{name}={quote(value)}")


def _headers(house: House) -> Iterator[Case]:
    stamp = {"card_id": str(house.card.pk)}
    for name in HEADERS:
        for value in HEADER_VALUES:
            for method, path, body in (("GET", "cards", None), ("POST", "stamp", stamp), ("GET", "pins", None)):
                yield Case("key", method, f"/api/v1/store/loyalty/{path}", body, {name: value})


def _addresses(house: House) -> Iterator[Case]:
    """Every address with a text in it, as the people who use it, with nonsense in the place of the text."""
    texts = {"store_code", "code", "token", "rest", "key", "status", "serial", "device", "kind", "size"}
    for pattern, _ in sweep.patterns():
        if texts & set(sweep.names_in(pattern)) and not pattern.startswith("admin/"):
            who = {"store": ("owner", "till"), "loyalty": ("customer",), "api": ("key", "card")}
            for code in CODES:
                path = sweep.address(pattern, {**house.ids, "uidb36": code, **dict.fromkeys(texts, code)})
                for name in who.get(pattern.split("/")[0], ("nobody",)):
                    for method in ("GET", "POST"):
                        yield Case(name, method, path, [("name", "x")] if method == "POST" else None, page=True)
