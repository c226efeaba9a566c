"""What happens to the next card while something is on its way: a refusal stays, an undo is waited for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from loyalty.models import Card, Program, Transaction
from loyalty.services.operations import StaffProof
from tests.support.till import PIN, Till, hook, make_world

pytestmark = pytest.mark.browser
STAMP = "**/api/v1/store/loyalty/stamp"
REDEEM = "**/api/v1/store/loyalty/stamp/redeem"
VOID = "**/api/v1/store/loyalty/transactions/*/void"
SLOW = 1.5  # seconds
WAITS = "The next card is read."


def opened(open_till: Any, **rules: Any) -> tuple[Till, Card, Card]:
    """Return a till with a card on its sheet, and a second one."""
    world = make_world(**rules)
    first, second = world.card(name="Marie Kieffer"), world.card(name="Paul Weber")
    till: Till = open_till(world)
    till.sign_in()
    till.open(first)
    return till, first, second


def delay(till: Till, path: str) -> None:
    """Let the server answer late."""

    def late(route: Any) -> None:
        answer = route.fetch()
        till.page.wait_for_timeout(SLOW * 1000)
        route.fulfill(response=answer)

    till.page.route(path, late)


def scan(till: Till, card: Card) -> None:
    """Type a card's number and wait for nothing."""
    till.page.fill(hook("scan-input"), card.card_number)
    till.page.press(hook("scan-input"), "Enter")


def pause(till: Till, status: str = "paused") -> None:
    """Pause the programme while the card lies there: the till cannot know."""
    with tenancy.scope(till.world.merchant_id):
        Program.objects.update(status=status)


def views(till: Till) -> Callable[[], list[str]]:
    """Note what the sheet shows from now on."""
    till.page.evaluate(
        "window.shown = []; new MutationObserver(() => window.shown.push(document.getElementById('main').dataset.view))"
        ".observe(document.getElementById('sheet'), {childList: true})"
    )
    return lambda: list(till.page.evaluate("window.shown"))


@pytest.mark.parametrize("leave", ["tap", "Enter", "Escape"])
def test_a_refusal_stays_although_the_next_card_was_scanned_and_opens_it_after(open_till: Any, leave: str) -> None:
    till, first, second = opened(open_till)
    pause(till)
    delay(till, STAMP)
    shown = views(till)
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('done')}[data-pending]")
    scan(till, second)
    till.page.wait_for_selector(f"{hook('refusal')}:has-text('This programme is not running')")
    till.says(WAITS)
    # Longer than the look-up of the second card takes.
    till.page.wait_for_timeout(SLOW * 1000)
    assert shown() == ["done", "refusal"]

    if leave == "tap":
        till.page.click("#sheet button:has-text('OK')")
    elif leave == "Enter":
        till.enter()
    else:
        till.page.keyboard.press("Escape")
    till.sees_card(second)
    assert till.page.input_value(hook("scan-input")) == ""
    # It waits no longer: the next refusal leads back to its own card.
    till.page.click(hook("give"))
    till.page.wait_for_selector(hook("refusal"))
    assert till.page.locator(f"{hook('refusal')}:has-text('{WAITS}')").count() == 0
    till.enter()
    till.sees_card(second)
    assert till.world.assert_adds_up(first).stamp_count == 0


def test_once_more_goes_before_the_card_that_waits(open_till: Any) -> None:
    till, first, second = opened(open_till)
    till.gives()
    till.open(first)
    delay(till, STAMP)
    till.page.click(hook("give"))
    scan(till, second)
    till.says("Once more?")
    till.says(WAITS)
    till.page.click(hook("confirm"))
    till.sees_card(second)

    assert till.world.assert_adds_up(first).stamp_count == 2


def test_a_card_scanned_while_a_yes_is_on_its_way_opens_by_itself(open_till: Any) -> None:
    till, first, second = opened(open_till)
    delay(till, STAMP)
    till.page.click(hook("give"))
    scan(till, second)
    till.sees_card(second)

    assert till.world.assert_adds_up(first).stamp_count == 1


def test_a_late_undo_leaves_the_next_card_on_the_sheet(open_till: Any) -> None:
    till, first, second = opened(open_till)
    till.gives()
    delay(till, VOID)
    till.page.click(hook("undo"))
    scan(till, second)
    till.sees_card(second)
    till.page.wait_for_timeout(SLOW * 1000)

    till.sees_card(second)
    assert till.world.assert_adds_up(first).stamp_count == 0
    till.gives()
    assert till.world.assert_adds_up(second).stamp_count == 1


def test_an_undo_that_is_refused_late_stays_before_the_next_card(open_till: Any) -> None:
    till, first, second = opened(open_till)
    till.gives()
    with tenancy.scope(till.world.merchant_id):
        row = Transaction.objects.get(card=first, type="stamp_earned")
    till.world.void(str(row.pk), staff=StaffProof(pin=PIN))
    delay(till, VOID)
    till.page.click(hook("undo"))
    scan(till, second)
    till.page.wait_for_selector(f"{hook('refusal')}:has-text('{WAITS}')")
    till.page.wait_for_timeout(SLOW * 1000)
    assert till.page.locator(hook("refusal")).count() == 1
    till.enter()
    till.sees_card(second)


def test_enter_does_not_press_a_refusal_that_has_just_arrived(open_till: Any) -> None:
    till, first, _second = opened(open_till)
    till.gives()
    till.open(first)
    # The page's time stands still, so the sheet stays new for as long as this takes.
    till.page.clock.install()
    till.page.clock.pause_at(timezone.now() + timedelta(seconds=3))
    till.page.click(hook("give"))
    till.says("Once more?")
    assert till.focus() == "confirm"
    for key in ("Enter", "Space"):
        till.page.keyboard.press(key)
    assert till.page.locator(hook("refusal")).count() == 1
    assert till.world.assert_adds_up(first).stamp_count == 1

    till.page.clock.resume()
    till.enter()
    till.succeeded()
    assert till.world.assert_adds_up(first).stamp_count == 2


@contextmanager
def running(till: Till, real_db: Any, path: str, *, tries: int) -> Iterator[list[str]]:
    """Hold the key of the next request as a request that is still running does, for so many tries of it."""
    keys: list[str] = []
    with real_db.connect_as_app() as holder:

        def hold(route: Any) -> None:
            key = route.request.headers["idempotency-key"]
            if key not in keys:
                name = f"{till.world.merchant_id}/{key}"
                holder.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
            keys.append(key)
            answer = route.fetch()
            if len(keys) == tries:
                holder.rollback()
            route.fulfill(response=answer)

        till.page.route(path, hold, times=tries)
        yield keys


def test_a_stamp_whose_request_is_still_running_is_saved_and_counts_once(open_till: Any, real_db: Any) -> None:
    till, first, _second = opened(open_till)
    shown = views(till)
    with running(till, real_db, STAMP, tries=2) as keys:
        till.page.click(hook("give"))
        till.page.wait_for_selector(f"{hook('done')}:has-text('1 stamp saved')")
        # Whether it was given is not sure: it cannot be taken out of the queue.
        assert till.page.locator(hook("undo")).is_hidden()
        till.page.wait_for_selector("#live :text('is sent and given')")

    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert "refusal" not in shown()
    assert till.world.assert_adds_up(first).stamp_count == 1


def test_a_redemption_that_is_still_running_is_not_called_undone(open_till: Any, real_db: Any) -> None:
    till, first, _second = opened(open_till, stamps_target=1)
    till.gives()
    till.open(first)
    with running(till, real_db, REDEEM, tries=2) as keys:
        till.page.click(hook("redeem"))
        till.page.click(f"{hook('redeem')}:has-text('Hand it out')")
        till.page.wait_for_selector(f"{hook('refusal')}:has-text('It is not sure that this was booked.')")
        assert "Nothing was given" not in till.page.inner_text("#sheet")
        till.page.click("#sheet button:has-text('Try again')")
        till.succeeded()

    assert len(set(keys)) == 1
    assert till.world.assert_adds_up(first).rewards_ready == 0


def test_the_stepper_ends_where_the_day_does(open_till: Any) -> None:
    till, first, _second = opened(open_till, max_daily_stamps=3)
    till.says("3 more possible today")
    for _ in range(4):
        till.page.click("[data-act=more]")
    assert till.page.inner_text(hook("give")) == "Give 3 stamps"
    till.page.click("[data-act=fewer]")
    till.gives()
    till.open(first)
    till.says("1 more possible today")
    till.page.click("[data-act=more]")
    assert till.page.inner_text(hook("give")) == "Give 1 stamp"
    till.gives()
    till.open(first)
    till.says("All stamps of today are given.")
    assert "more possible today" not in till.page.inner_text("#sheet")
    assert till.world.assert_adds_up(first).stamp_count == 3


def test_more_stamps_than_the_day_allows_are_not_foreseen(open_till: Any) -> None:
    till, _first, _second = opened(open_till, max_daily_stamps=2)
    ahead = till.page.evaluate(
        """async () => {
          const {stampsAhead} = await import('/static/dashboard/terminal/foresee.js');
          const {state} = await import('/static/dashboard/terminal/state.js');
          return [1, 2, 3].map((quantity) => stampsAhead(state.card, quantity)?.figure ?? null);
        }"""
    )
    assert ahead == ["1 of 10", "2 of 10", None]


def test_a_late_undo_leaves_the_lock_on_the_screen(open_till: Any) -> None:
    till, first, _second = opened(open_till)
    till.gives()
    delay(till, VOID)
    till.page.click(hook("undo"))
    till.page.click("#person button")
    till.page.wait_for_selector("#say:has-text('Taken back from')", state="attached")

    assert till.page.get_attribute("#main", "data-view") == "people"
    assert till.world.assert_adds_up(first).stamp_count == 0
