"""The till without a connection: it goes on, tells what waits, and everything counts exactly once."""

import json
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from core.models import AuditEntry
from loyalty.models import Card, ReviewItem
from merchants.models import MerchantSettings
from stores.models import Terminal
from stores.services import terminals
from tests.support.till import Till, hook, make_world
from tests.support.world import World

pytestmark = pytest.mark.browser
BATCH = "**/api/v1/store/loyalty/terminal/batch"
KEPT = hook("kept")
ROW = hook("kept-row")


def away(till: Till, gone: bool = True) -> None:
    """Take the network away, or give it back."""
    till.page.context.set_offline(gone)


def installed(till: Till) -> None:
    """Wait until the till's app is kept by the browser."""
    till.page.evaluate(
        """() => navigator.serviceWorker.controller || new Promise((done) => {
          navigator.serviceWorker.addEventListener("controllerchange", done, {once: true});
        }).then(() => true)"""
    )


def count(till: Till) -> str:
    """Return the number on the badge, "" while there is none."""
    badge = till.page.locator(hook("queue-count"))
    return badge.inner_text() if badge.is_visible() else ""


def types(till: Till, card: Card) -> None:
    """Type a number and wait for a sheet of that number, known or not."""
    till.page.fill(hook("scan-input"), card.card_number)
    till.page.press(hook("scan-input"), "Enter")
    till.sees_card(card)


def saves(till: Till, card: Card, waiting: int) -> None:
    """Give a stamp that is kept."""
    types(till, card)
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('done')}:has-text('1 stamp saved')")
    till.page.wait_for_selector(f"{hook('queue-count')}:text-is('{waiting}')")


def sent(till: Till) -> None:
    """Wait until nothing waits any more."""
    till.page.wait_for_selector(hook("queue-count"), state="hidden")


def test_ten_stamps_without_a_connection_arrive_once_when_it_is_back(open_till: Any) -> None:
    world = make_world(stamps_target=10)
    card = world.card(name="Marie Kieffer")
    till = open_till(world)
    till.sign_in()
    assert count(till) == ""
    away(till)
    till.page.wait_for_selector("#offline:has-text('No connection')")
    for number in range(1, 11):
        saves(till, card, number)
    assert till.page.inner_text("#offline p") == "No connection · 10 saved, oldest under 1 min"
    assert world.fresh(card).stamp_count == 0

    away(till, False)

    sent(till)
    till.page.wait_for_selector("#live :text('All 10 saved items are sent and given.')")
    assert till.page.locator("#offline").is_hidden()
    rows = [row for row in world.rows(card) if row.type == "stamp_earned"]
    assert [row.stamps_delta for row in rows] == [1] * 10
    assert world.assert_adds_up(card).rewards_ready == 1
    till.page.get_by_role("button", name="Show them").click()
    till.page.wait_for_selector(ROW)
    assert till.page.locator(f"{ROW} .chip:text-is('Given')").count() == 10
    till.page.click("[data-act=clear]")
    till.page.wait_for_selector("#kept", state="hidden")


def test_till_opens_and_goes_on_after_a_reload_without_a_connection(open_till: Any) -> None:
    world = make_world()
    card, other = world.card(name="Marie Kieffer"), world.card(name="Paul Weber")
    till = open_till(world)
    installed(till)
    till.sign_in()
    away(till)
    saves(till, card, 1)

    till.page.reload()

    till.page.wait_for_selector("[data-ready=yes]")
    till.page.wait_for_selector(f"{hook('queue-count')}:text-is('1')")
    till.page.click(f"{hook('staff-tile')}:has-text('Ben')")
    till.says("no PIN can be checked")
    assert till.page.locator("input[type=password]").count() == 0
    till.page.click(hook("unproven"))
    saves(till, other, 2)
    away(till, False)
    sent(till)

    assert world.assert_adds_up(card).stamp_count == 1
    assert world.assert_adds_up(other).stamp_count == 0
    with tenancy.scope(world.merchant_id):
        kept = ReviewItem.objects.select_related("staff_pin").get()
        assert (kept.code, kept.card_id, kept.staff_pin.name) == ("staff_pin_required", other.pk, "Ben")
    till.page.wait_for_selector(f"{ROW}[data-state=review]:has-text('Without a PIN: a manager decides')")
    till.page.wait_for_selector(f"{ROW}[data-state=given]")


def test_replay_that_is_cut_in_the_middle_counts_once(open_till: Any) -> None:
    world = make_world()
    cards = [world.card(name=f"Guest {number}") for number in range(3)]
    till = open_till(world)
    till.sign_in()
    away(till)
    for number, card in enumerate(cards, 1):
        saves(till, card, number)
    booked: list[int] = []

    def lose(route: Any) -> None:
        booked.append(route.fetch().status)
        route.abort("connectionreset")

    till.page.route(BATCH, lose, times=1)
    away(till, False)
    till.page.wait_for_selector("#offline:has-text('3 saved')")
    assert booked == [200]
    till.page.reload()
    sent(till)

    assert [world.assert_adds_up(card).stamp_count for card in cards] == [1, 1, 1]
    till.complaints[:] = [text for text in till.complaints if "ERR_CONNECTION_RESET" not in text]


def test_each_result_is_shown_and_what_breaks_a_limit_goes_to_a_manager(open_till: Any) -> None:
    world = make_world(cooldown_minutes=15)
    card = world.card(name="Marie Kieffer")
    till = open_till(world)
    till.sign_in()
    away(till)
    saves(till, card, 1)
    saves(till, card, 2)
    away(till, False)
    sent(till)
    till.page.click("#kept")

    till.page.wait_for_selector(f"{ROW}[data-state=given]:has-text('1 of 10')")
    till.page.wait_for_selector(f"{ROW}[data-state=review]:has-text('Next stamp possible at')")
    assert world.assert_adds_up(card).stamp_count == 1
    with tenancy.scope(world.merchant_id):
        assert ReviewItem.objects.get().code == "cooldown_active"


def test_sale_is_saved_and_a_reward_says_that_it_needs_a_connection(open_till: Any) -> None:
    world = make_world(loyalty_type="points", points_per_euro=10)
    card = world.card()
    till = open_till(world)
    till.sign_in()
    away(till)
    types(till, card)
    till.page.click(hook("redeem"))
    till.says("Rewards need a connection")
    till.enter()
    till.sees_card(card)
    till.amount("2340")
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('done')}:has-text('€23.40 saved')")
    away(till, False)
    sent(till)

    assert world.assert_adds_up(card).points_balance == 234


def test_code_opens_a_sheet_with_an_empty_number_and_a_name_says_what_works(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.sign_in()
    away(till)
    till.page.fill(hook("scan-input"), f"{till.site.url}/c/{card.qr_code_data}")
    till.page.press(hook("scan-input"), "Enter")
    till.page.wait_for_selector(f"{hook('card-sheet')}[data-card-number='']")
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('done')}:has-text('1 stamp saved')")
    till.page.fill(hook("scan-input"), "Marie")
    till.page.press(hook("scan-input"), "Enter")
    till.says("a card opens by its code or its number")
    away(till, False)
    sent(till)

    assert world.assert_adds_up(card).stamp_count == 1


def test_mistyped_number_is_told_before_it_is_saved(open_till: Any) -> None:
    world = make_world()
    till = open_till(world)
    till.sign_in()
    away(till)
    till.page.fill(hook("scan-input"), "123456789012")
    till.page.press(hook("scan-input"), "Enter")
    till.says("This number looks mistyped")


def test_undo_takes_a_saved_stamp_out_of_the_queue(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.sign_in()
    away(till)
    saves(till, card, 1)
    till.page.click(hook("undo"))
    till.says("Taken back from")
    sent(till)
    away(till, False)
    till.page.wait_for_selector("#offline", state="hidden")

    assert world.assert_adds_up(card).stamp_count == 0


def test_connection_lost_on_an_open_sheet_saves_what_is_given(open_till: Any) -> None:
    world = make_world()
    card = world.card(name="Marie Kieffer")
    till = open_till(world)
    till.sign_in()
    till.open(card)
    away(till)
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('done')}:has-text('1 stamp saved')")
    away(till, False)
    sent(till)

    assert world.assert_adds_up(card).stamp_count == 1


def test_neither_pin_nor_name_of_a_customer_is_stored(open_till: Any) -> None:
    world = make_world()
    card = world.card(name="Marie Kieffer", email="marie@example.com")
    till = open_till(world)
    till.sign_in()
    till.open(card)
    away(till)
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('queue-count')}:text-is('1')")

    stored = till.page.evaluate(
        """async () => {
          const database = await new Promise((done) => {
            const asked = indexedDB.open("till");
            asked.onsuccess = () => done(asked.result);
          });
          const all = (name) => new Promise((done) => {
            const asked = database.transaction(name).objectStore(name).getAll();
            asked.onsuccess = () => done(asked.result);
          });
          return JSON.stringify([await all("kept"), await all("facts"), {...localStorage}, {...sessionStorage}]);
        }"""
    )
    assert "482193" not in stored
    assert "Kieffer" not in stored
    assert "marie@" not in stored
    [item], *_rest = json.loads(stored)
    assert item["staff_session"]
    assert {"staff_pin", "pin"}.isdisjoint(item)
    away(till, False)
    sent(till)


def revoke(world: World) -> None:
    """Sign every till of the world out."""
    with tenancy.scope(world.merchant_id):
        ids = list(Terminal.objects.values_list("pk", flat=True))
    for terminal_id in ids:
        terminals.revoke(merchant_id=world.merchant_id, terminal_id=terminal_id, at=timezone.now())


def saved_then_revoked(open_till: Any) -> tuple[World, Card, Till]:
    world = make_world()
    card = world.card(name="Marie Kieffer")
    till = open_till(world)
    till.sign_in()
    away(till)
    saves(till, card, 1)
    revoke(world)
    away(till, False)
    till.page.wait_for_selector(f"{hook('held')}:has-text('signed out')")
    return world, card, till


def test_revoked_till_keeps_its_queue_until_it_is_handed_over(open_till: Any) -> None:
    world, card, till = saved_then_revoked(open_till)
    assert count(till) == "1"
    with till.page.expect_download() as file:
        till.page.click("[data-act=file]")
    [saved] = json.loads(file.value.path().read_text())["operations"]
    assert (saved["op"], saved["card_number"], saved["staff"]) == ("stamp", card.card_number, "Anna")
    assert "staff_session" not in saved
    till.page.click("[data-act=pair]")
    till.page.wait_for_url("**/pair")
    till.page.wait_for_selector(f"{hook('kept-here')}:visible")
    till.pair()
    till.page.wait_for_selector(f"{hook('held')}:has-text('another sign-in')")
    assert world.fresh(card).stamp_count == 0

    till.page.click("[data-act=hand-over]")

    sent(till)
    till.page.wait_for_selector(f"{ROW}[data-state=review]")
    assert world.assert_adds_up(card).stamp_count == 0
    with tenancy.scope(world.merchant_id):
        kept = ReviewItem.objects.select_related("staff_pin").get()
        assert (kept.staff_pin.name, kept.state) == ("Anna", "open")


def test_manager_throws_a_revoked_queue_away_with_a_reason(open_till: Any, manager_cookie: Any) -> None:
    world, card, till = saved_then_revoked(open_till)
    till.page.context.add_cookies([manager_cookie(world, till)])
    till.page.goto(f"{till.site.url}/store/{world.store.code}/loyalty/terminal")
    till.page.wait_for_selector(hook("held"))
    till.page.click(".discard-form [type=submit]")
    till.page.wait_for_selector("#discard-error:visible")
    till.page.fill("#discard-reason", "Practice on the first day")
    till.page.click(".discard-form [type=submit]")
    sent(till)

    assert world.assert_adds_up(card).stamp_count == 0
    with tenancy.scope(world.merchant_id):
        note = AuditEntry.objects.get(action="till_queue_discarded")
        assert (note.actor_id, note.reason) == (world.owner.pk, "Practice on the first day")
        assert note.facts["count"] == 1
        assert card.card_number not in json.dumps(note.facts)
        assert ReviewItem.objects.count() == 0


def test_without_pins_everything_goes_on_without_a_connection(open_till: Any) -> None:
    world = make_world()
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(staff_pin_policy="disabled")
    card = world.card()
    till = open_till(world)
    installed(till)
    away(till)
    till.page.reload()
    till.page.wait_for_selector("[data-ready=yes]")
    saves(till, card, 1)
    away(till, False)
    sent(till)

    assert world.assert_adds_up(card).stamp_count == 1
