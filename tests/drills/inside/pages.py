"""Promise 18 from inside: every address as everybody sees it on a running site with production settings."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import Client

from core import tenancy
from core.ids import uuid7
from merchants.models import User
from tests.architecture import sweep
from tests.architecture import test_browser_guard as guard
from tests.architecture.routes import ROUTES
from tests.drills.inside import callers
from tests.drills.wire import Answer, Browser
from tests.support.house import House

STRICT = "max-age=31536000; includeSubDomains; preload"
ALL_CALLERS = ("nobody", "owner", "manager", "staff", "till", "customer", "key", "card")
SHORT_CALLERS = ("nobody", "owner")
THREADS = 6
TOKENS = "/static/core/tokens.css"


@dataclass(frozen=True)
class Visit:
    """One request."""

    pattern: str
    who: str
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)


def main(*, base: str, host: str, short: bool) -> dict[str, Any]:
    """Read everything, and tell which answers lack what."""
    house = callers.house("pages")
    proxy = {"Host": host, "X-Forwarded-Proto": "https"}
    everybody = callers.everybody(house, base, **proxy)
    everybody["admin"] = Browser(base, {"sessionid": _administrator()}, proxy, "admin")
    everybody["forger"] = replace(everybody["owner"], forgery_token=False)
    found = []
    # What is written comes last, by those who may not: the pages are read as they were.
    for visits in (_reading(house, short), _writing(house)):
        with ThreadPoolExecutor(THREADS) as pool:
            found += list(pool.map(lambda visit: (visit, _visit(everybody, visit)), visits))
    faults = {f"{visit.pattern} {answer.status_code}: {wrong}" for visit, answer in found
              if (wrong := _lacks(visit.pattern, answer, host))}  # fmt: skip
    failed = [
        f"{visit.who} {visit.pattern} {answer.status_code}" for visit, answer in found if answer.status_code >= 500
    ]
    pages = sum(guard.is_page(answer) for _, answer in found)
    return {"answers": len(found), "pages": pages, "faults": sorted(faults), "failed": failed}


def _visit(everybody: dict[str, Browser], visit: Visit) -> Answer:
    body = [("name", "x")] if visit.method != "GET" else None
    return everybody[visit.who].ask(visit.method, visit.path, body, **visit.headers)


def _lacks(pattern: str, answer: Answer, host: str) -> list[str]:
    """Return what an answer lacks: headers, cookies' flags, or a policy that its own page would break."""
    wrong = guard.unguarded(pattern, answer)
    if pattern == TOKENS:
        # A file is no page that could be framed, and is served before the middleware that would say so.
        wrong.remove("X-Frame-Options")
    if answer.get("Strict-Transport-Security") != STRICT:
        wrong.append(f"HSTS {answer.get('Strict-Transport-Security')}")
    for name, cookie in answer.cookies.items():
        if cookie["max-age"] != 0 and not cookie["secure"]:
            wrong.append(f"cookie {name} goes without TLS")
    if guard.is_page(answer) and not pattern.startswith("admin"):
        text = answer.getvalue().decode().replace(f'action="https://{host}/', 'action="/')
        wrong += guard.INLINE.findall(text) + guard.OUTSIDE.findall(text)
    return wrong


def _reading(house: House, short: bool) -> Iterator[Visit]:
    """Yield every address for everybody; the platform's pages for its administrator."""
    ids = {**house.ids, "key": "a-key", "uidb36": "1"}
    for pattern in ROUTES:
        for who in SHORT_CALLERS if short else ALL_CALLERS:
            yield Visit(pattern, who, sweep.address(pattern, ids))
    for path in ("/nowhere", "/store/nowhere/loyalty/", "/api/nowhere", "/static/core/nothing.css", TOKENS):
        yield Visit(path, "nobody", path)
    # Refused before the middleware that adds one of the headers; the policy's frame-ancestors says the same.
    yield Visit("bad host", "nobody", "/", headers={"Host": "evil.example"})
    paths = list(_admin_paths(house))
    for path in paths[:: 3 if short else 1]:
        yield Visit(f"admin{path}", "admin", path)


def _writing(house: House) -> Iterator[Visit]:
    ids = {**house.ids, "key": "a-key", "uidb36": "1"}
    for pattern, route in ROUTES.items():
        for method in set(route.methods) - {"GET"}:
            yield Visit(pattern, "nobody", sweep.address(pattern, ids), method)
    yield Visit("forged", "forger", "/signup/", "POST")


def _administrator() -> str:
    user = User.objects.create_user(f"root-{uuid7().hex[-10:]}@platform.example", is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return str(browser.cookies["sessionid"].value)


def _admin_paths(house: House) -> Iterator[str]:
    """Yield the pages of the platform's administrators."""
    ids = {**house.ids, "object_id": house.card.pk, "content_type_id": 1, "app_label": "loyalty", "url": "x"}
    own = ("loyalty/programs", "loyalty/analytics", "loyalty/merchants/<uuid:merchant_id>")
    yield from ("/admin/", *(sweep.address(f"admin/{pattern}", ids) for pattern in own))
    with tenancy.scope(house.world.merchant_id):
        rows = {model: model._default_manager.first() for model in admin.site._registry}
    for model, row in rows.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield from (base, f"{base}add/")
        if row is not None:
            yield f"{base}{row.pk}/change/"
