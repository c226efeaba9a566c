"""What one rarely sees, each inspected: the till offline and in other languages, error pages, a merge, mails."""

from typing import Any

import pytest
from django.core import mail as outbox
from django.template.loader import render_to_string
from django.utils import timezone, translation

from core import mail_pages, tenancy
from customers.enums import MailKind
from customers.models import Customer
from customers.services import mailbox
from stores.models import Store
from tests.browser.conftest import clean, proven
from tests.support.house import House
from tests.support.inspector import HEIGHTS, PHONE, Inspector
from tests.support.till import Till, hook, make_world
from tests.support.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LANGUAGES = ("en", "fr", "de", "lb")
LOST = "net::ERR_INTERNET_DISCONNECTED"


@pytest.fixture
def open_till(site: Any, inspector: Any) -> Any:
    """Return a function that pairs a phone with the till of a new merchant, in a language."""

    def make(language: str = "en", **rules: Any) -> tuple[Till, Inspector]:
        seen = inspector(language=language)
        seen.expects_refusals = True
        till = Till(seen.page, site, make_world(**rules))
        seen.page.set_viewport_size({"width": PHONE, "height": HEIGHTS[PHONE]})
        till.pair()
        return till, seen

    return make


def without_what_the_lost_network_says(seen: Inspector) -> None:
    """Leave out what the browser itself writes about requests that found no network."""
    for name, found in list(seen.faults.items()):
        kept = [fault for fault in found if LOST not in fault]
        if kept:
            seen.faults[name] = kept
        else:
            del seen.faults[name]


def types(till: Till, number: str) -> None:
    """Type a number and wait for its sheet."""
    till.page.fill(hook("scan-input"), number)
    till.page.press(hook("scan-input"), "Enter")
    till.page.wait_for_selector(f"{hook('card-sheet')}[data-card-number='{number}']")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_till_without_a_network(open_till: Any, language: str) -> None:
    till, seen = open_till(language)
    card, page = till.world.card(name="Marie Kieffer"), seen.page
    # The inspector's own look at axe needs no network: it is evaluated.
    till.sign_in()
    page.context.set_offline(True)
    page.wait_for_selector("#offline:visible")
    seen.inspect(f"{language} nothing waits", language=language)
    types(till, card.card_number)
    seen.inspect(f"{language} unknown card", language=language)
    page.click(f"{hook('card-sheet')} {hook('redeem')}")
    page.wait_for_selector(hook("refusal"))
    seen.inspect(f"{language} no reward without a network", language=language)
    types(till, card.card_number)
    page.click(hook("give"))
    page.wait_for_selector(f"{hook('queue-count')}:text-is('1')")
    seen.inspect(f"{language} saved", language=language)
    page.click("#kept")
    page.wait_for_selector(hook("kept-row"))
    seen.inspect(f"{language} what waits", language=language)
    page.keyboard.press("Escape")
    page.click("#person button")
    page.click(f"{hook('staff-tile')}:has-text('Ben')")
    page.wait_for_selector(hook("unproven"))
    seen.inspect(f"{language} nobody can check a PIN", language=language)
    page.context.set_offline(False)
    page.wait_for_selector(hook("queue-count"), state="hidden")
    page.click("#kept")
    page.wait_for_selector(f"{hook('kept-row')}[data-state=given]")
    seen.inspect(f"{language} everything is sent", language=language)
    without_what_the_lost_network_says(seen)
    clean(seen, at_least=7)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_till_in_other_languages(open_till: Any, language: str) -> None:
    till, seen = open_till(language, loyalty_type="hybrid", points_per_euro="10", stamps_target=2)
    card, page = till.world.card(name="Paul Weber"), seen.page
    _, carla = till.world.staff("Carla", "735913")
    till.world.stamp(card, 2, staff=carla)
    seen.inspect(f"{language} names", language=language)
    page.click(f"{hook('staff-tile')}:has-text('Anna')")
    seen.inspect(f"{language} PIN", language=language)
    till.press_pin("482193")
    page.wait_for_selector("#person:has-text('Anna')")
    seen.inspect(f"{language} scan", language=language)
    till.open(card)
    seen.inspect(f"{language} card", language=language)
    till.amount("2340")
    page.wait_for_selector("[data-slot=live]:not(:empty)")
    seen.inspect(f"{language} amount", language=language)
    till.gives()
    seen.inspect(f"{language} done", language=language)
    page.click("#new-card")
    page.wait_for_selector(hook("enroll-qr"))
    seen.inspect(f"{language} new card", language=language)
    page.keyboard.press("Escape")
    page.click("[data-opens=till-help]")
    seen.inspect(f"{language} help", language=language)
    clean(seen, at_least=8)


def shows(seen: Inspector, path: str, html: str, language: str) -> None:
    """Inspect a page that was made here, at an address of the site."""

    def answer(route: Any) -> None:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")

    seen.page.route(f"**{path}", answer)
    seen.visit(path, language=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_error_pages(site: Any, inspector: Any, language: str) -> None:
    seen = inspector(language=language)
    for code in ("400", "403", "403_csrf", "404", "500", "503"):
        with translation.override(language):
            made = render_to_string(f"{code}.html")
        shows(seen, f"/made-{code}", made, language)
    clean(seen, at_least=6)


def test_a_merge_before_it_is_confirmed_and_the_choice_of_a_store(house: House, inspector: Any) -> None:
    world, card = house.world, house.ids["card_id"]
    with tenancy.scope(world.merchant_id):
        Store.objects.create(code=f"{world.store.code}-two", name="Kirchberg")
    seen, base = inspector(proven(house.person())), f"/store/{world.store.code}/loyalty/cards/{card}/merge"
    seen.visit(base)
    seen.visit(f"{base}?search=Marie")
    seen.visit(f"{base}?into={house.ids['spare_id']}")
    assert seen.page.locator("main form[method=post] [name=reason]").count() == 1
    seen.visit("/store/")
    assert seen.page.url.endswith("/store/")
    seen.visit("/store/loyalty/cards")
    clean(seen, at_least=5)


def mails(world: World, language: str) -> dict[str, str]:
    """Return every mail of the product as its page, by name."""
    card = world.card(name="Marie", email="marie@example.com")
    facts = {
        "card_id": str(card.pk), "pages": f"/loyalty/{world.store.code}", "of": str(card.customer_id), "points": 120,
        "expires_on": "2026-04-09", "reward_name": "Free coffee",
    }  # fmt: skip
    found = {}
    for kind in MailKind:
        if kind in mailbox.ASKED_FOR:
            with tenancy.scope(world.merchant_id):
                proven_at = None if kind == MailKind.CONFIRM else timezone.now()
                Customer.objects.update(language=language, confirmed_at=proven_at)
            found[str(kind)] = written(world, card.customer_id, kind, facts)
    with translation.override(language):
        facts = {"activate_url": "https://loyalty.example/a", "password_reset_url": "https://loyalty.example/b"}
        for name in ("email_confirmation", "password_reset_key", "password_changed"):
            body = render_to_string(f"account/email/{name}_message.txt", facts)
            found[name] = mail_pages.page(name, body)
    return found


def written(world: World, customer_id: Any, kind: str, facts: dict[str, Any]) -> str:
    """Send a mail and return its page."""
    outbox.outbox.clear()
    with tenancy.scope(world.merchant_id):
        mailbox.queue(
            merchant_id=world.merchant_id, customer_id=customer_id, kind=kind, event=f"seen-{kind}", facts=facts,
            at=timezone.now(),
        )  # fmt: skip
    for claimed in mailbox.claim(at=timezone.now(), size=20):
        mailbox.deliver(claimed, at=timezone.now())
    return str(outbox.outbox[-1].alternatives[0][0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_mails(site: Any, inspector: Any, language: str) -> None:
    seen = inspector(language=language)
    for name, html in mails(World.make(at=timezone.now()), language).items():
        shows(seen, f"/mail-{name}", html, language)
    clean(seen, at_least=7)
