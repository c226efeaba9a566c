"""The first evening: a new merchant signs up, opens a second store, pairs a till; a customer joins and collects."""

import re
from typing import Any

import pytest
from django.core.mail import EmailMessage

from tests.support.till import EXPECTED, hook

pytestmark = pytest.mark.browser


class Visitor:
    """A person with a browser of their own."""

    def __init__(self, chromium: Any, site: Any, **options: Any) -> None:
        size = options.pop("viewport", {"width": 390, "height": 844})
        self.context = chromium.new_context(viewport=size, locale="en-GB", **options)
        self.context.set_default_timeout(10_000)
        self.page, self.site = self.context.new_page(), site
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning") and not EXPECTED.match(message.text):
            self.complaints.append(message.text)

    def goes(self, path: str) -> None:
        """Open an address of the site."""
        answer = self.page.goto(path if path.startswith("http") else f"{self.site.url}{path}")
        assert answer.status < 400, (path, answer.status)

    def fills(self, **fields: str) -> None:
        """Type into fields by their names."""
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)

    def sends(self, button: str) -> None:
        """Press a button of the page's own form."""
        self.page.click(f"main button:has-text('{button}')")
        self.page.wait_for_load_state()

    def reads(self) -> str:
        """Return what the page says."""
        return str(self.page.inner_text("main"))


def sign_up(merchant: Visitor, mailbox: list[EmailMessage]) -> None:
    """Sign up on the landing page's form and open the link that comes by mail."""
    merchant.goes("/")
    merchant.page.click("text=Start free >> nth=0")
    merchant.fills(business_name="Café Nora", email="nora@example.com", password="three little words 9")
    merchant.sends("Start free")
    assert "mail" in merchant.reads()
    found = re.search(r"http\S+confirm-email/\S+", str(mailbox[-1].body))
    assert found is not None
    merchant.goes(found.group(0))
    if "/onboarding/" not in merchant.page.url:
        merchant.page.click("main form[method=post] button")
        merchant.page.wait_for_load_state()


def walk_the_steps(merchant: Visitor) -> str:
    """Walk through the four steps; return Anna's PIN."""
    assert merchant.page.url.endswith("/store/onboarding/1")
    merchant.fills(stamps_target="10", stamps_reward_description="Free coffee")
    merchant.sends("Continue")
    assert merchant.page.url.endswith("/store/onboarding/2")
    merchant.sends("Continue")
    assert merchant.page.url.endswith("/store/onboarding/3")
    merchant.fills(name="Gare", city="Luxembourg", person="Anna")
    merchant.sends("Continue")
    shown = re.search(r"\b(\d{6})\b", merchant.reads())
    assert shown is not None, merchant.reads()
    return shown.group(1)


def open_second_store(merchant: Visitor) -> None:
    """Open a store in Kirchberg."""
    merchant.goes("/store/merchant/stores/new")
    merchant.fills(name="Kirchberg")
    merchant.page.click("main form[method=post] button[type=submit]")
    merchant.goes("/store/merchant/stores")
    assert "Kirchberg" in merchant.reads()


def lift_the_limits(merchant: Visitor, store: str) -> None:
    """Let ten stamps be given at once."""
    merchant.goes(f"{store}/settings")
    merchant.fills(cooldown_minutes="0", max_daily_stamps="0")
    merchant.sends("Look at the changes")
    merchant.sends("Save")


def ask_for_a_pairing_code(merchant: Visitor, store: str) -> str:
    """Return the code that pairs a device."""
    merchant.goes(f"{store}/terminals/new")
    merchant.fills(name="Bar")
    merchant.page.click("main form[method=post] button[type=submit]")
    shown = re.search(r"\b([A-Z0-9]{4}[ -]?[A-Z0-9]{4})\b", merchant.reads())
    assert shown is not None, merchant.reads()
    return shown.group(1)


def join(customer: Visitor, code: str) -> str:
    """Get a card; return its number as the page shows it."""
    customer.goes(f"/loyalty/{code}/enroll")
    customer.sends("Get my card")
    assert customer.page.url.endswith("/welcome")
    customer.goes(f"/loyalty/{code}/dashboard")
    number = re.search(r"\d{4} \d{4} \d{4}", customer.reads())
    assert number is not None
    return number.group(0)


def give_ten_stamps(till: Visitor, store: str, pairing_code: str, pin: str, number: str) -> None:
    """Pair the till, be Anna, and fill the card."""
    till.goes(f"{store}/terminal")
    till.page.fill("[name=code]", pairing_code)
    till.page.click(hook("pair"))
    till.page.wait_for_selector("[data-ready=yes]")
    till.page.click(f"{hook('staff-tile')}:has-text('Anna')")
    for digit in (*pin, "ok"):
        till.page.click(f"{hook('pin-key')}[data-key='{digit}']")
    till.page.fill(hook("scan-input"), number)
    till.page.press(hook("scan-input"), "Enter")
    till.page.wait_for_selector(hook("card-sheet"))
    for _ in range(9):
        till.page.click("[data-act=more]")
    till.page.click(hook("give"))
    till.page.wait_for_selector(hook("done"))


def test_from_the_landing_page_to_the_first_reward(site: Any, chromium: Any, mailoutbox: list[EmailMessage]) -> None:
    merchant = Visitor(chromium, site)
    sign_up(merchant, mailoutbox)
    pin = walk_the_steps(merchant)
    merchant.goes("/store/onboarding/4")
    merchant.page.click("main >> text=To my home page")
    merchant.page.wait_for_load_state()
    found = re.search(r"/store/([^/]+)/loyalty/", merchant.page.url)
    assert found is not None, merchant.page.url
    code, store = found.group(1), f"/store/{found.group(1)}/loyalty"
    open_second_store(merchant)
    lift_the_limits(merchant, store)
    pairing_code = ask_for_a_pairing_code(merchant, store)

    customer = Visitor(chromium, site, java_script_enabled=False)
    number = join(customer, code)
    till = Visitor(chromium, site, viewport={"width": 1280, "height": 800})
    give_ten_stamps(till, store, pairing_code, pin, number)

    customer.goes(f"/loyalty/{code}/dashboard")
    assert "Free coffee" in customer.reads()
    assert "waiting" in customer.reads()
    customer.goes(f"/loyalty/{code}/history")
    assert "10 stamps" in customer.reads()
    merchant.goes(f"{store}/cards")
    assert number[-4:] in merchant.reads()
    assert [person.complaints for person in (merchant, customer, till)] == [[], [], []]
