"""A phone whose protocol is taken apart into single requests, so that anything may happen between two of them."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.fakes.shown_pass import ShownPass

BASE = "/api/v1/loyalty/apple/v1"
TYPE = "application/vnd.apple.pkpass"


@dataclass
class Held:
    """A pass on a phone: what it shows, its token, and the date that it came with."""

    shown: dict[str, Any]
    last_modified: str = ""

    @property
    def token(self) -> str:
        """The pass's authentication token."""
        return str(self.shown["authenticationToken"])

    @property
    def stamps(self) -> str:
        """What it says about stamps, such as 3/10."""
        places = [fields for fields in self.shown["storeCard"].values() if isinstance(fields, list)]
        return next(str(one["value"]) for fields in places for one in fields if one["key"] == "stamps")


@dataclass
class StepPhone:
    """One device. `pushed` is set by the push service; what the phone then does are steps of their own."""

    name: str
    pass_type: str
    client: Client = field(default_factory=Client)
    token_number: int = 0
    tag: str = ""
    passes: dict[str, Held] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    to_fetch: set[str] = field(default_factory=set)
    pushed: bool = False

    @property
    def push_token(self) -> str:
        """The token of the moment: hexadecimal digits, of a length that no column should limit."""
        return f"{self.name}-{self.token_number}".encode().hex() * 8

    def download(self, address: str) -> str:
        """Take a pass from its address, as a browser does; returns the serial number."""
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.content
        shown = ShownPass(answer.content).pass_json
        self.passes[shown["serialNumber"]] = Held(shown, answer["Last-Modified"])
        return str(shown["serialNumber"])

    def register(self, serial: str) -> None:
        """Ask to hear of a pass: 201 the first time, 200 ever after."""
        answer = self.client.post(
            f"{BASE}/devices/{self.name}/registrations/{self.pass_type}/{serial}",
            json.dumps({"pushToken": self.push_token}), content_type="application/json", headers=self._proof(serial),
        )  # fmt: skip
        assert answer.status_code == (200 if serial in self.registered else 201), answer.content
        self.registered.add(serial)

    def change_token(self) -> None:
        """Get another push token, as after a restore, and name it for every pass."""
        self.token_number += 1
        for serial in sorted(self.registered):
            self.register(serial)

    def unregister(self, serial: str) -> None:
        """Turn updates off; the pass stays on the phone."""
        answer = self.client.delete(
            f"{BASE}/devices/{self.name}/registrations/{self.pass_type}/{serial}", headers=self._proof(serial)
        )
        assert answer.status_code == 200
        self.registered.discard(serial)
        self.to_fetch.discard(serial)

    def ask(self) -> None:
        """Ask what changed since the tag of last time."""
        self.pushed = False
        query = {"passesUpdatedSince": self.tag} if self.tag else {}
        answer = self.client.get(f"{BASE}/devices/{self.name}/registrations/{self.pass_type}", query)
        if answer.status_code == 204:
            assert answer.content == b""
            return
        said = answer.json()
        assert answer.status_code == 200
        assert said["serialNumbers"], "200 with an empty list (pitfall 5)"
        assert isinstance(said["lastUpdated"], str), "a tag that is no string (pitfall 1)"
        assert said["lastUpdated"].isdigit(), "a tag that a query may change (pitfall 7b)"
        assert said["lastUpdated"] != self.tag, "lastUpdated remained the same"
        assert not self.tag or int(said["lastUpdated"]) > int(self.tag), "a tag that went back (pitfall 3)"
        self.tag = said["lastUpdated"]
        self.to_fetch |= set(said["serialNumbers"])

    def fetch(self, serial: str) -> None:
        """Fetch one pass of the list, unless it is the one that we have."""
        self.to_fetch.discard(serial)
        held = self.passes[serial]
        headers = self._proof(serial) | ({"If-Modified-Since": held.last_modified} if held.last_modified else {})
        answer = self.client.get(f"{BASE}/passes/{self.pass_type}/{serial}", headers=headers)
        if answer.status_code == 304:
            return
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"] == TYPE
        shown = ShownPass(answer.content).pass_json
        assert shown["authenticationToken"] == held.token, "tokens are for life"
        self.passes[serial] = Held(shown, answer["Last-Modified"])

    def react(self) -> None:
        """Do what a phone does after a push, to the end."""
        self.ask()
        for serial in sorted(self.to_fetch):
            self.fetch(serial)

    def _proof(self, serial: str) -> dict[str, str]:
        return {"Authorization": f"ApplePass {self.passes[serial].token}"}
