"""What the till says without words: a sound and a buzz, loud, quiet or off, and never at night."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.till import Till, hook, make_world

pytestmark = pytest.mark.browser
# This machine has no motor: what would shake it is written down instead.
MOTOR = "window.buzzes = []; navigator.vibrate = (pattern) => window.buzzes.push(JSON.stringify(pattern));"
# How loud each sound was, as the browser's own audio was told.
EAR = """window.gains = [];
window.GainNode = class extends window.GainNode {
  constructor(context, how) { super(context, how); window.gains.push(how.gain); }
};"""


def plays(till: Till, name: str) -> None:
    """Wait for a sound, and forget it."""
    till.page.wait_for_selector(f"#till[data-played={name}]", state="attached")
    till.page.evaluate("delete document.getElementById('till').dataset.played")


def buzzes(till: Till) -> list[str]:
    """Return what shook since the last time."""
    return list(till.page.evaluate("window.buzzes.splice(0)"))


def choose(till: Till, sound: str) -> None:
    """Choose how loud the till is."""
    till.page.click("[data-opens=till-help]")
    till.page.check(f"#till-signals [name=sound][value={sound}]")
    till.page.keyboard.press("Escape")
    till.page.wait_for_selector("#till-help", state="hidden")


@pytest.fixture
def till(open_till: Any) -> Till:
    found: Till = open_till(make_world(stamps_target=2, cooldown_minutes=0), width=390, height=844, script=MOTOR + EAR)
    return found


def test_a_stamp_knocks_a_reward_rings_and_a_refusal_is_dull(till: Till) -> None:
    card = till.world.card(name="Marie Kieffer")
    till.sign_in()
    buzzes(till)
    till.open(card)
    till.gives()
    plays(till, "given")
    assert buzzes(till) == ["20"]

    nearly = till.world.card()
    _, carla = till.world.staff("Carla", "735913")
    till.world.stamp(nearly, staff=carla)
    till.open(nearly)
    till.gives()
    plays(till, "reward")
    assert buzzes(till)[-1] == "[20,60,20]"

    till.page.fill(hook("scan-input"), "000000000000")
    till.page.press(hook("scan-input"), "Enter")
    till.page.wait_for_selector(hook("refusal"))
    plays(till, "refused")
    assert buzzes(till) == ["80"]
    assert set(till.page.evaluate("window.gains")) == {1}


def test_quiet_and_off_stay_after_a_reload(till: Till) -> None:
    card = till.world.card()
    choose(till, "quiet")
    plays(till, "given")
    assert till.page.evaluate("window.gains.splice(0)") == [0.25]
    choose(till, "off")

    till.page.reload()
    till.page.wait_for_selector("[data-ready=yes]")
    till.sign_in()
    till.open(card)
    till.gives()

    assert till.page.is_checked("#till-signals [value=off]")
    assert till.page.evaluate("window.gains") == []
    assert till.page.get_attribute("#till", "data-played") is None
    assert buzzes(till) == ["20"]


def test_nothing_shakes_where_that_is_switched_off(till: Till) -> None:
    card = till.world.card()
    till.page.click("[data-opens=till-help]")
    till.page.uncheck("#till-buzz")
    till.page.keyboard.press("Escape")
    till.sign_in()
    till.open(card)
    till.gives()
    plays(till, "given")

    assert buzzes(till) == []


def test_the_quiet_hours_are_silent(till: Till) -> None:
    card = till.world.card()
    now = datetime.now(ZoneInfo(till.world.store.time_zone))
    till.page.click("[data-opens=till-help]")
    for name, hours in (("from", -1), ("to", 2)):
        till.page.select_option(f"#till-signals [name={name}]", f"{now + timedelta(hours=hours):%H}:00")
    till.page.keyboard.press("Escape")
    till.sign_in()
    till.open(card)
    till.gives()

    assert buzzes(till) == ["20"]
    assert till.page.evaluate("window.gains") == []


def test_night_goes_over_midnight(till: Till) -> None:
    night, noon = {"from": "21:00", "to": "06:00"}, {"from": "12:00", "to": "14:00"}
    asked = [
        ("23:00", night), ("05:59", night), ("06:00", night), ("20:59", night), ("13:00", noon), ("14:00", noon),
        ("08:00", {"from": "08:00", "to": "08:00"}),
    ]  # fmt: skip

    found = till.page.evaluate(
        """async (asked) => {
          const { isQuietAt } = await import("/static/dashboard/terminal/signals.js");
          return asked.map(([time, hours]) => isQuietAt(time, hours));
        }""",
        asked,
    )

    assert found == [True, True, False, False, True, False, False]
