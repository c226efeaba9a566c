"""Every page of the product in a real browser, for each kind of person: axe, console, policy, outside hosts, width."""

from typing import Any

import pytest

from tests.browser.addresses import Face, admin_paths, desk, mailed
from tests.support.house import House
from tests.support.inspector import PHONE, WIDE, Inspector

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def clean(seen: Inspector, *, at_least: int) -> None:
    """Fail with every fault of every page, one a line."""
    report = [f"{name}: {fault}" for name, found in seen.faults.items() for fault in found]
    if report:
        pytest.fail("\n".join(report), pytrace=False)
    assert seen.looks >= at_least


def test_a_visitor(people: dict[str, Face], house: House, inspector: Any) -> None:
    seen = inspector()
    for path in people["visitor"].pages():
        seen.visit(path)
    for path in mailed(house):
        seen.visit(path)
    clean(seen, at_least=25)


def test_a_customer_with_a_card(people: dict[str, Face], inspector: Any) -> None:
    customer = people["customer"]
    seen = inspector(customer.browser)
    for path in customer.pages():
        seen.visit(path)
    clean(seen, at_least=12)


def test_a_merchants_owner(people: dict[str, Face], inspector: Any) -> None:
    owner = people["owner"]
    seen = inspector(owner.browser)
    for number, path in enumerate(owner.pages()):
        seen.visit(path, width=(PHONE, WIDE)[number % 2])
    clean(seen, at_least=60)


def test_the_platforms_administrator(house: House, inspector: Any) -> None:
    browser = desk()
    seen = inspector(browser)
    for number, path in enumerate(admin_paths(house)):
        if browser.get(path).status_code == 200:
            seen.visit(path, width=(PHONE, WIDE)[number % 2])
    clean(seen, at_least=60)
