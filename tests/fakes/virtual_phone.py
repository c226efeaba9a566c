"""The phone of the page: an iPhone and an Android phone in one, moved by buttons and by what the fakes hear."""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.happenings import Happenings
from tests.fakes.phone_apple import CHOICES as APPLE_CHOICES
from tests.fakes.phone_apple import AppleHalf
from tests.fakes.phone_google import CHOICES as GOOGLE_CHOICES
from tests.fakes.phone_google import SAVE, GoogleHalf
from tests.fakes.phone_page import Refused
from tests.fakes.switch import Switch

FAULT_SECONDS = 30.0
LOCAL = {"localhost", "127.0.0.1", "[::1]"}


class VirtualPhone:
    """Both halves behind what the page asks for."""

    def __init__(self, happenings: Happenings, site_url: str, apple: AppleHalf, google: GoogleHalf) -> None:
        self.happenings, self.site_url, self.apple, self.google = happenings, site_url, apple, google
        self.switches = {
            "apple": Switch("Apple's push service, for 30 seconds", APPLE_CHOICES, apple.set_fault, happenings),
            "google": Switch("Google Wallet, for 30 seconds", GOOGLE_CHOICES, google.set_fault, happenings),
        }

    def state(self) -> dict[str, Any]:
        """Return cards, log and faults."""
        return {
            "cards": [*self.apple.cards(), *self.google.cards()],
            "log": self.happenings.entries(),
            "faults": [switch.shown(name) for name, switch in self.switches.items()],
            "enroll": f"{self.site_url}/loyalty/coffeelux-gare/enroll",
        }

    def image(self, card: str, name: str) -> bytes | None:
        """Return a picture of an Apple pass."""
        return self.apple.image(card, name)

    def pushes(self) -> dict[str, int]:
        """Return how many pushes Apple's service took for each token."""
        return Counter(self.apple.apns.tokens)

    def google_keys(self) -> dict[str, Any]:
        """Return the root keys of the callbacks."""
        return self.google.signer.root_keys()

    def act(self, verb: str, body: dict[str, Any]) -> None:
        """Do what a button asks; raises Refused."""
        match verb:
            case "add":
                self._add(str(body["address"]).strip())
            case "remove":
                if not (self.apple.remove(str(body["card"])) or self.google.remove(str(body["card"]))):
                    raise Refused("That card is not on the phone.")
            case "refresh":
                self.apple.pull(str(body["card"]))
            case "fault":
                switch = self.switches[str(body["provider"])]
                switch.turn(str(body["fault"]), float(body.get("seconds", FAULT_SECONDS)))
            case "apns":
                self.apple.command(body)
            case _:
                raise Refused("There is no such button.")
        self.happenings.wake()

    def _add(self, address: str) -> None:
        if address.startswith(SAVE):
            self.google.add(address)
            return
        ours = self._ours(address)
        (self.google if "/passes/google/" in ours else self.apple).add(ours)

    def _ours(self, address: str) -> str:
        """Return an address of the shop, with its own host's name: this machine has several."""
        asked, site = urlsplit(address), urlsplit(self.site_url)
        same = asked.hostname == site.hostname or {asked.hostname, site.hostname} <= LOCAL
        if asked.scheme != site.scheme or asked.port != site.port or not same:
            raise Refused(f"Only addresses of {self.site_url} and of pay.google.com can be added.")
        return asked._replace(netloc=site.netloc).geturl()
