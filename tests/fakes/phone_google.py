"""The half of the phone that is Google Wallet: objects that somebody saved, as the fake Google holds them."""

import base64
import copy
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.google import FakeGoogle, Faults
from tests.fakes.google_signer import Signer
from tests.fakes.happenings import Happenings
from tests.fakes.phone_page import Refused

SAVE = "https://pay.google.com/gp/v/save/"
LOOK_SECONDS = 0.05
CHOICES = {
    "": "Works",
    "down": "Away",
    "429": "429",
    "500": "500",
    "slow": "Slow (2 s)",
    "refuse": "400 for cards",
    "token": "No tokens",
}


@dataclass
class Saved:
    """An object on this phone."""

    name: str
    writes: int = 0
    version: int = 1
    updated_at: float = field(default_factory=time.time)
    seen: dict[str, Any] = field(default_factory=dict)
    seen_class: dict[str, Any] = field(default_factory=dict)


class GoogleHalf:
    """Saves objects, watches them change, and tells the shop by signed callbacks."""

    def __init__(self, google: FakeGoogle, happenings: Happenings, site_url: str) -> None:
        self.google, self.happenings, self.site_url = google, happenings, site_url
        self.signer = Signer(google.issuer, datetime.now(UTC))
        self.saved: dict[str, Saved] = {}
        self.fault = ""
        threading.Thread(target=self._watch, daemon=True, name="google watcher").start()

    def cards(self) -> list[dict[str, Any]]:
        """Return what is on the phone."""
        return [
            {
                "kind": "google", "id": one.name, "name": one.seen_class.get("programName", ""), "version": one.version,
                "writes": one.writes, "updated_at": one.updated_at, "object": one.seen, "class": one.seen_class,
            }
            for one in list(self.saved.values())
        ]  # fmt: skip

    def add(self, address: str) -> None:
        """Save the objects of a link; ours leads to Google's."""
        link = address if address.startswith(SAVE) else self._follow(address)
        for name in _objects_of(link):
            with self.google.shelf.lock:
                if name not in self.google.shelf.objects:
                    raise Refused(f"Google has no object {name}: the link was made before the object.")
                self.google.shelf.save(name)
            self.saved[name] = Saved(name)
            self._look(self.saved[name])
            self.happenings.note("google", f"added {name}")
            self._call_back("save", name)

    def remove(self, name: str) -> bool:
        """Take an object off the phone; tells whether it was there."""
        if self.saved.pop(name, None) is None:
            return False
        self.google.shelf.save(name, saved=False)
        self.happenings.note("google", f"removed {name}")
        self._call_back("del", name)
        return True

    def set_fault(self, name: str) -> None:
        """Let something go wrong; "" lets all be well."""
        faults = Faults()
        match name:
            case "down":
                faults.away = True
            case "429" | "500":
                faults.share, faults.statuses = 1.0, [int(name)]
            case "slow":
                faults.latency = 2.0
            case "refuse":
                faults.refuse = "loyaltyPoints"
            case "token":
                faults.token = 503
                self.google.tokens.forget()
        self.google.faults, self.fault = faults, name

    def _follow(self, address: str) -> str:
        """Open our own address as a browser does, without following it further."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        try:
            urllib.request.build_opener(Stay).open(address, timeout=15)
        except urllib.error.HTTPError as answer:
            target = str(answer.headers.get("Location", ""))
            if answer.code in {301, 302, 303} and target.startswith(SAVE):
                return target
            raise Refused(f"The address answers {answer.code}, not with a link to Google.") from answer
        except OSError as error:
            raise Refused(f"The address does not answer: {error}") from error
        raise Refused("The address does not lead to Google.")

    def _call_back(self, event: str, name: str) -> None:
        """Post a signed message to the class's address, as Google does some time after."""
        with self.google.shelf.lock:
            cls = self.google.shelf.classes.get(self.google.shelf.objects[name]["classId"], {})
        address = (cls.get("callbackOptions") or {}).get("url", "")
        if not address.startswith(f"{self.site_url}/"):
            self.happenings.note("google", f"no callback for {event}: the class names {address or 'no address'}")
            return
        self.signer.at = datetime.now(UTC)
        body = self.signer.message(event, name, classId=cls["id"])
        threading.Thread(target=self._post, args=(address, body, event), daemon=True).start()

    def _post(self, address: str, body: bytes, event: str) -> None:
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.happenings.note("google", f"callback {event}: {answer.status}")
        except OSError as error:
            self.happenings.note("google", f"callback {event}: {error}", bad=True)

    def _watch(self) -> None:
        heard = 0
        while True:
            time.sleep(LOOK_SECONDS)
            new = self.google.seen[heard:]
            heard += len(new)
            for one in new:
                self._note(one.method, one.path, one.status)
            if new:
                for saved in list(self.saved.values()):
                    self._look(saved)

    def _note(self, method: str, path: str, status: int) -> None:
        answer = str(status) if status else "no answer"
        short = path.removeprefix("/walletobjects/v1/")
        self.happenings.note("google", f"{method} {short}: {answer}", bad=status != 200)

    def _look(self, saved: Saved) -> None:
        with self.google.shelf.lock:
            found = copy.deepcopy(self.google.shelf.objects.get(saved.name, {}))
            cls = copy.deepcopy(self.google.shelf.classes.get(found.get("classId", ""), {}))
        if (found, cls) != (saved.seen, saved.seen_class):
            first = not saved.seen
            saved.seen, saved.seen_class = found, cls
            if not first:
                saved.writes, saved.version, saved.updated_at = saved.writes + 1, saved.version + 1, time.time()
                self.happenings.wake()


def _objects_of(link: str) -> list[str]:
    """Return the ids of the objects in a save link."""
    try:
        claims = link.removeprefix(SAVE).split(".")[1]
        payload = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["payload"]
        return [str(one["id"]) for one in payload["loyaltyObjects"]]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Refused(f"The link to Google cannot be read: {error!r}") from error
