"""The till as an app takes a new release whole, and only when nobody is at it."""

from dataclasses import replace
from typing import Any

import pytest

from dashboard.views import terminal_files
from tests.support.till import Till, make_world

pytestmark = pytest.mark.browser
INSTALLED = """() => navigator.serviceWorker.controller || new Promise((done) => {
  navigator.serviceWorker.addEventListener("controllerchange", done, {once: true});
}).then(() => true)"""
UPDATED = """async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  await registration.update();
  const coming = registration.installing ?? registration.waiting;
  if (coming.state !== "installed") await new Promise((done) => {
    coming.addEventListener("statechange", () => { if (coming.state === "installed") done(); });
  });
}"""
MARK = "window.before = true"


def releases(till: Till) -> list[str]:
    """Return the releases that the browser keeps."""
    return [name.rpartition("-")[2] for name in till.page.evaluate("caches.keys()")]


def test_new_release_waits_for_the_lock_and_replaces_the_old_one(
    open_till: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.page.evaluate(INSTALLED)
    now = terminal_files.release()
    assert releases(till) == [now.name]
    till.sign_in()
    monkeypatch.setattr(terminal_files, "release", lambda: replace(now, name="thenext"))
    till.page.evaluate(MARK)
    till.page.evaluate(UPDATED)

    till.open(card)
    till.gives()
    assert till.page.evaluate("window.before"), "nobody is interrupted"
    with till.page.expect_event("load"):
        till.page.click("#person button")

    till.page.wait_for_selector("[data-ready=yes]")
    assert till.page.evaluate("window.before") is None
    assert releases(till) == ["thenext"]
    till.page.context.set_offline(True)
    till.page.reload()
    till.page.wait_for_selector("[data-ready=yes]")
    assert world.assert_adds_up(card).stamp_count == 1


def test_release_that_does_not_come_through_leaves_the_old_one(open_till: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    till = open_till(make_world())
    till.page.evaluate(INSTALLED)
    now = terminal_files.release()
    broken = replace(now, name="broken", files=[*now.files, "/static/dashboard/terminal/not-there.js"])
    monkeypatch.setattr(terminal_files, "release", lambda: broken)
    till.page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update()).catch(() => {})")
    till.page.wait_for_timeout(1000)
    till.page.context.set_offline(True)
    till.page.reload()

    till.page.wait_for_selector("[data-ready=yes]")
    assert now.name in releases(till)
