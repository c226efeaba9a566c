"""A till in a real browser, driven by the hooks that the contract names."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from loyalty.models import Card
from stores.services import terminals
from tests.support.world import World

PIN = "482193"
# A time of day in a selector, such as 14:17; towards midnight the page names the day before it.
CLOCK = r".{0,20}\\d\\d:\\d\\d"
# A refused request is an error in the browser's console, whatever the page does with it.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


def hook(name: str) -> str:
    """Return the selector of a hook for tests."""
    return f"[data-test={name}]"


@dataclass
class Till:
    """A till in the browser, with what its console complained about."""

    page: Any
    site: Any
    world: World
    complaints: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Note errors, broken promises and violations of the policy."""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.context.on("request", lambda sent: self._watch(sent.url))
        self.page.on("console", lambda message: self._hear(message))

    def _watch(self, url: str) -> None:
        if not url.startswith((f"{self.site.url}/", f"blob:{self.site.url}/", "data:")):
            self.abroad.append(url)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning") and not EXPECTED.match(message.text):
            self.complaints.append(message.text)

    def pair(self) -> None:
        """Make a pairing code as a manager and type it on the device."""
        made = terminals.make_pairing_code(
            merchant_id=self.world.merchant_id, store_id=self.world.store.pk, name="Till 1",
            user_id=self.world.owner.pk, at=timezone.now(),
        )  # fmt: skip
        self.page.goto(f"{self.site.url}/store/{self.world.store.code}/loyalty/terminal")
        assert self.page.url == f"{self.site.url}/pair"
        self.page.fill("[name=code]", made.code)
        self.page.click(hook("pair"))
        self.page.wait_for_selector("[data-ready=yes]")

    def sign_in(self, name: str = "Anna", pin: str = PIN) -> None:
        """Tap a name and type its PIN on the pad."""
        self.page.click(f"{hook('staff-tile')}:has-text('{name}')")
        self.press_pin(pin)
        self.page.wait_for_selector(f"#person:has-text('{name}')")

    def press_pin(self, pin: str) -> None:
        """Type a PIN by its keys."""
        for digit in pin:
            self.page.click(f"{hook('pin-key')}[data-key='{digit}']")
        self.page.click(f"{hook('pin-key')}[data-key=ok]")

    def open(self, card: Card) -> None:
        """Type a card's number."""
        self.page.fill(hook("scan-input"), card.card_number)
        self.page.press(hook("scan-input"), "Enter")
        self.sees_card(card)

    def sees_card(self, card: Card) -> None:
        """Wait for the sheet of a card."""
        self.page.wait_for_selector(f"{hook('card-sheet')}[data-card-number='{card.card_number}']")

    def amount(self, digits: str) -> None:
        """Type an amount by its keys."""
        for digit in digits:
            self.page.click(f"{hook('amount-key')}[data-key='{digit}']")

    def gives(self) -> None:
        """Tap the one filled button and wait for the server's yes."""
        self.page.click(hook("give"))
        self.succeeded()

    def succeeded(self) -> None:
        """Wait until success is confirmed: then it can be undone."""
        # The sheet becomes the bar after two seconds, which a busy machine may take to look.
        bar = "#sheet [data-part=bar]:not([hidden]):not([data-pending])"
        self.page.wait_for_selector(f":is({hook('done')}:not([data-pending]), {bar}) {hook('undo')}")

    def enter(self) -> None:
        """Press Enter on a refusal, once it takes a key."""
        self.page.wait_for_selector(f"{hook('refusal')} ~ * button:not(.arriving):focus")
        self.page.keyboard.press("Enter")

    def says(self, text: str) -> None:
        """Wait until the sheet says a sentence."""
        self.page.wait_for_selector(f"#sheet :text('{text}')")

    def focus(self) -> str:
        """Return the hook of the focused element."""
        return str(self.page.evaluate("document.activeElement.dataset.test ?? document.activeElement.tagName"))


def make_world(**rules: Any) -> World:
    """Make a merchant whose till asks for PINs, with Anna and Ben."""
    world = World.make(at=timezone.now(), **{"require_staff_pin": True, **rules})
    world.staff("Anna", PIN)
    world.staff("Ben", "735912")
    return world
