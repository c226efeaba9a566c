"""The half of the phone that is Apple Wallet: a virtual iPhone, woken by the fake APNs."""

import time
from typing import Any

import httpx

from tests.fakes.apns import FakeApns
from tests.fakes.happenings import Happenings
from tests.fakes.iphone import Held, RefusedByPhone, VirtualIPhone
from tests.fakes.phone_page import Refused
from tests.fakes.pkpass import PassFile
from tests.fakes.shown_pass import ShownPass

CHOICES = {
    "": "Works",
    "down": "Away",
    "silent": "Silent",
    "429": "429",
    "500": "500",
    "503": "503",
    "410": "410, phone gone",
    "400": "400 bad token",
    "goodbye": "GOAWAY",
}
REASONS = {"429": "TooManyRequests", "500": "InternalServerError", "503": "ServiceUnavailable", "400": "BadDeviceToken"}


class RememberingIPhone(VirtualIPhone):
    """Keeps the packages as they came, too: the page shows who signed them."""

    packages: dict[str, bytes]

    def _read(self, answer: httpx.Response) -> PassFile:
        file = super()._read(answer)
        self.packages[file.serial] = answer.content
        return file


class AppleHalf:
    """Adds passes, reacts to pushes, and counts what happened."""

    def __init__(self, phone: RememberingIPhone, apns: FakeApns, happenings: Happenings) -> None:
        self.phone, self.apns, self.happenings = phone, apns, happenings
        self.phone.packages = {}
        self.phone.on_change = self._changed
        self.versions: dict[str, int] = {}
        self.updated: dict[str, float] = {}
        self.pushes = self._reported = 0
        self._listening = True
        apns.hooks[phone.push_token] = self._pushed

    def cards(self) -> list[dict[str, Any]]:
        """Return what is in the wallet."""
        return [self._card(serial, held) for serial, held in list(self.phone.passes.items())]

    def image(self, serial: str, name: str) -> bytes | None:
        """Return a picture of a pass."""
        held = self.phone.passes.get(serial)
        return held.files.get(name) if held is not None and name.endswith(".png") else None

    def add(self, address: str) -> None:
        """Download a pass and register."""
        try:
            held = self.phone.add(address)
        except (RefusedByPhone, httpx.HTTPError) as error:
            raise Refused(f"The phone refuses it: {error}") from error
        serial = held.file.serial
        self.versions[serial], self.updated[serial] = self.versions.get(serial, 0) + 1, time.time()
        self.happenings.note("apple", f"added {serial}{'' if held.registered else ', but not registered'}")
        self._tell_reports()

    def remove(self, serial: str) -> bool:
        """Take a pass out of the wallet; tells whether it was there."""
        if serial not in self.phone.passes:
            return False
        status = self.phone.remove(serial)
        self.happenings.note("apple", f"removed {serial}: {status}", bad=status != 200)
        return True

    def pull(self, serial: str) -> None:
        """Fetch a pass without a push, and register again in case the shop forgot the phone."""
        if serial not in self.phone.passes:
            raise Refused("That card is not on the phone.")
        fetched, registered = self.phone.refresh(serial), self.phone.register(serial)
        self.happenings.note("apple", f"pulled {serial}: fetched {fetched}, registered {registered}")
        self._tell_reports()

    def set_fault(self, name: str) -> None:
        """Let something go wrong at the push service; "" lets all be well."""
        self.apns.heal()
        if (name != "down") != self._listening:
            self._listening = name != "down"
            self.apns.start() if self._listening else self.apns.stop()
        if name == "silent":
            self.apns.silent = True
        elif name == "410":
            self.apns.answer("", 410, "Unregistered", timestamp=int(time.time() * 1000))
        elif name in REASONS:
            self.apns.answer("", int(name), REASONS[name])
        elif name == "goodbye":
            self.apns.say_goodbye(taken=False)

    def command(self, body: dict[str, Any]) -> None:
        """Let the push service answer single tokens in another way, or leave after so many pushes; or heal it first."""
        if body.get("heal"):
            self.apns.heal()
        for answer in body.get("answers", []):
            self.apns.answer(**answer)
        self.apns.goodbye_after = body.get("goodbye_after", self.apns.goodbye_after)

    def _card(self, serial: str, held: Held) -> dict[str, Any]:
        shown = ShownPass(self.phone.packages[serial])
        return {
            "kind": "apple", "id": serial, "name": str(held.content["organizationName"]), "pass": held.content,
            "images": shown.images, "strings": shown.strings, "signer": shown.signer, "pushes": self.pushes,
            "version": self.versions.get(serial, 0), "updated_at": self.updated.get(serial),
        }  # fmt: skip

    def _pushed(self, token: str) -> None:
        self.pushes += 1
        self.happenings.note("apple", "pushed")
        try:
            self.phone.on_push()
        except httpx.HTTPError as error:
            self.happenings.note("apple", f"the shop does not answer the phone: {error!r}", bad=True)
        self._tell_reports()

    def _changed(self, serial: str) -> None:
        self.versions[serial], self.updated[serial] = self.versions.get(serial, 0) + 1, time.time()
        self.happenings.note("apple", f"fetched {serial}")

    def _tell_reports(self) -> None:
        for message in self.phone.log[self._reported :]:
            self.happenings.note("apple", message, bad=True)
        self._reported = len(self.phone.log)
