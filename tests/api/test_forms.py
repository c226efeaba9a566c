"""Promise 16 on the pages: every form takes any value in any field, and says beside the field what is wrong."""

import re
from typing import Any

import pytest
from django.test import Client

from core import tenancy
from merchants.models import Invitation
from merchants.services import invitations
from stores.models import Store
from tests.architecture import sweep
from tests.architecture.routes import ANYONE, CUSTOMER, MERCHANT_PAGE, ROUTES, STORE_PAGE, Route
from tests.support.house import House, undone
from tests.support.own_api import PAGES

FIELD = re.compile(r'<(?:input|select|textarea|button)\b[^>]*\sname="([^"]+)"')
VALUES = [
    "", " ", "x", "a\x00b", "\u202egnp", "x" * 10_000, "-1", "0", "9" * 40, "2147483648", "1e400", "NaN", "1/0", "٣",
    "<script>", "%s", "{}", "2026-02-30", "00000000-0000-0000-0000-000000000000", "\r\n\r\n", "owner",
]  # fmt: skip
FORMS = [
    (pattern, route)
    for pattern, route in sweep.routes(ANYONE, CUSTOMER, MERCHANT_PAGE, STORE_PAGE)
    if "POST" in route.methods
]
# Questions with a button and nothing else.
WITHOUT_FIELDS = {
    f"loyalty/<str:store_code>/{rest}" for rest in ("link/<str:token>", "open/<str:token>", "handover")
} | {pattern for pattern, _ in FORMS if pattern.endswith(("/close", "/remove", "/revoke", "/leave", "<slug:status>"))}
SKIPPED = {"csrfmiddlewaretoken", "language", "theme", "next"}


@pytest.fixture
def house(db: None, settings: Any) -> House:
    settings.LOYALTY_THROTTLE_SCALE = 1_000_000
    house = House.make("ours")
    with tenancy.scope(house.world.merchant_id):
        Store.objects.update(own_device_enabled=True)
        invited = Invitation.objects.get(pk=house.ids["invitation_id"])
        house.ids["invitation_token"] = invitations.token_of(invited)
    return house


def fields_of(browser: Client, path: str) -> list[str]:
    """Return the names of the fields that a page shows; a page that only takes POSTs has none."""
    answer = browser.get(path)
    text = answer.getvalue().decode() if answer.status_code == 200 else ""
    return [name for name in dict.fromkeys(FIELD.findall(text)) if name not in SKIPPED]


def visitor(house: House, pattern: str, route: Route) -> Client:
    """Return the browser of somebody who sees the form."""
    if route.who == CUSTOMER or pattern.startswith(PAGES):
        return house.customer(raise_request_exception=False)
    return (Client if route.who == ANYONE else house.person)(raise_request_exception=False)


@pytest.mark.parametrize(("pattern", "route"), FORMS, ids=lambda part: part if isinstance(part, str) else "")
def test_every_form_takes_any_value(house: House, pattern: str, route: Route) -> None:
    faults, shown = {}, 0
    for number in (1, 2, 3, 4) if "number" in sweep.names_in(pattern) else (0,):
        browser = visitor(house, pattern, route)
        token = house.ids["invitation_token" if pattern.startswith("invitations/") else "token"]
        path = sweep.address(pattern, {**house.ids, "number": number, "token": token})
        names = fields_of(browser, path)
        shown += len(names)
        for value in VALUES:
            with undone():
                answer = browser.post(path, dict.fromkeys(names, value))
            if answer.status_code >= 500:
                faults[f"{path} {value[:20]!r}"] = answer.status_code
    assert faults == {}
    assert shown or "GET" not in route.methods or pattern in WITHOUT_FIELDS


def test_switches_take_any_value() -> None:
    for path, name in (("/i18n/setlang/", "language"), ("/theme", "theme")):
        for value in VALUES:
            for target in (
                "/",
                "//evil.example",
                "https://evil.example/",
                "javascript:alert(1)",
                "\x00",
                "/x\r\nSet-Cookie: a=b",
            ):
                answer = Client().post(path, {name: value, "next": target})
                assert answer.status_code == 302
                assert answer["Location"].startswith("/"), target
                assert not answer["Location"].startswith("//")


def test_there_are_forms_to_look_at() -> None:
    assert len(FORMS) > 20
    assert {pattern for pattern, _ in FORMS} <= set(ROUTES)
