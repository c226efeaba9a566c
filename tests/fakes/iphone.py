"""A phone with Apple Wallet: it keeps passes, registers for news, asks what changed and fetches it, as strictly as a
real one; what it does not understand it refuses, and reports to /v1/log in the words of real devices.

Written without the product's code. It speaks real HTTP to whatever address the passes name.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from tests.fakes import pkpass
from tests.fakes.pkpass import BadPass, PassFile

TYPE = "application/vnd.apple.pkpass"
TIMEOUT = 30.0


class RefusedByPhone(Exception):
    """The phone does not take the pass; the text is what a person would read."""


@dataclass
class Held:
    """A pass in the wallet. registered: whether the server took the registration."""

    file: PassFile
    last_modified: str
    registered: bool = False
    fetches: int = 0

    @property
    def content(self) -> dict[str, Any]:
        """What pass.json says."""
        return self.file.content

    @property
    def files(self) -> dict[str, bytes]:
        """Pictures and texts of the package."""
        return self.file.files

    @property
    def values(self) -> dict[str, str]:
        """Values of all fields by their key."""
        return self.file.values


@dataclass
class VirtualIPhone:
    """One device. root: Apple's root certificate; with it every signature is verified by openssl, else none is.

    base_url: where requests go when the passes name another origin (a server behind another port); "" as they say.
    news: (serial, key, text) of what the lock screen showed. log: what was reported to the server.
    """

    device_id: str
    push_token: str
    base_url: str = ""
    root: Path | None = None
    passes: dict[str, Held] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    news: list[tuple[str, str, str]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    lists: int = 0
    on_change: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=TIMEOUT, headers={"User-Agent": "Wallet/1.0 CFNetwork/3826 Darwin/25.0.0"})
        self._busy = threading.RLock()

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def add(self, pkpass_url: str, *, headers: dict[str, str] | None = None, register: bool = True) -> Held:
        """Download a pass, put it into the wallet and register for its changes; raises RefusedByPhone."""
        answer = self._client.get(self._moved(pkpass_url), headers=headers or {})
        if answer.status_code != 200:
            raise RefusedByPhone(f"the download answered {answer.status_code}")
        held = Held(self._read(answer), answer.headers.get("Last-Modified", ""))
        with self._busy:
            self.passes[held.file.serial] = held
        if register:
            self.register(held.file.serial)
        return held

    def register(self, serial: str) -> int:
        """Ask to be told of changes; returns the status."""
        held = self.passes[serial]
        answer = self._client.post(
            self._registration(held), headers=self._proof(held), json={"pushToken": self.push_token}
        )
        if answer.status_code not in (200, 201):
            self.report(f"Registration task with error: Unexpected response code {answer.status_code}", held)
        held.registered = answer.status_code in (200, 201)
        return answer.status_code

    def remove(self, serial: str) -> int:
        """Take a pass out of the wallet and take leave of its server; returns the status."""
        with self._busy:
            held = self.passes.pop(serial)
        answer = self._client.request("DELETE", self._registration(held), headers=self._proof(held))
        if answer.status_code != 200:
            self.report(f"Unregister task with error: Unexpected response code {answer.status_code}", held)
        return answer.status_code

    def on_push(self) -> None:
        """React to a push: ask each server what changed, and fetch it."""
        with self._busy:
            for service, pass_type in sorted({(one.file.service, one.file.type) for one in self.passes.values()}):
                for serial in self._changed(service, pass_type):
                    self.refresh(serial)

    def refresh(self, serial: str) -> int:
        """Fetch a pass, as pulling down on its back does; returns the status."""
        with self._busy:
            held = self.passes[serial]
            headers = self._proof(held)
            if held.last_modified:
                headers["If-Modified-Since"] = held.last_modified
            answer = self._client.get(self._pass(held), headers=headers)
            held.fetches += 1
            if answer.status_code == 200:
                self._update(held, answer)
            elif answer.status_code != 304 or answer.content:
                self._failed(held, f"Unexpected response code {answer.status_code}")
            return answer.status_code

    def report(self, message: str, about: Held | None = None) -> None:
        """Say what is wrong, to the server of a pass (or of the first one)."""
        self.log.append(message)
        held = about or next(iter(self.passes.values()), None)
        if held is not None:
            answer = self._client.post(self._moved(f"{held.file.service}/v1/log"), json={"logs": [message]})
            if answer.status_code != 200:
                self.log.append(f"the log answered {answer.status_code}")

    def _changed(self, service: str, pass_type: str) -> list[str]:
        """Return the serial numbers with news that are in the wallet; [] when the answer makes no sense."""
        self.lists += 1
        tag = self.tags.get(f"{service} {pass_type}", "")
        address = self._moved(f"{service}/v1/devices/{quote(self.device_id, safe='')}/registrations/{pass_type}")
        answer = self._client.get(f"{address}?passesUpdatedSince={tag}" if tag else address)
        if answer.status_code == 204:
            if answer.content:
                self.report("Response to 'What changed?' request: 204 with a body")
            return []
        if answer.status_code != 200:
            self.report(f"Get serial numbers task encountered error: Unexpected response code {answer.status_code}")
            return []
        found = self._understood(answer, tag)
        if found is None:
            return []
        serials, newest = found
        self.tags[f"{service} {pass_type}"] = newest
        return [serial for serial in serials if serial in self.passes]

    def _understood(self, answer: httpx.Response, tag: str) -> tuple[list[str], str] | None:
        """Read a list as a device does: texts only, and never the same tag with something new."""
        try:
            body = answer.json()
            serials, newest = body["serialNumbers"], body["lastUpdated"]
        except (ValueError, KeyError, TypeError):
            serials, newest = None, None
        if not isinstance(newest, str) or not isinstance(serials, list) or not all(isinstance(x, str) for x in serials):
            self.report("Get serial numbers task encountered error: Malformed response")
            return None
        if not serials:
            self.report("Response to 'What changed?' request: 200 without serial numbers")
            return None
        if newest == tag:
            self.report(
                f"Response to 'What changed?' request included {len(serials)} serial numbers but the lastUpdated tag "
                f"({tag}) remained the same."
            )
            return None
        return serials, newest

    def _update(self, held: Held, answer: httpx.Response) -> None:
        try:
            fresh = self._read(answer)
        except RefusedByPhone as fault:
            self._failed(held, f"Received invalid pass data ({fault})")
            return
        old = held.file
        if (fresh.serial, fresh.type, fresh.token) != (old.serial, old.type, old.token):
            self._failed(held, "Received a pass with another serial number, type or token")
            return
        modified = answer.headers.get("Last-Modified", "")
        if fresh.manifest != old.manifest and held.last_modified and not _is_later(modified, held.last_modified):
            self._failed(held, f"Another pass, and Last-Modified did not grow ({modified})")
        held.file, held.last_modified = fresh, modified
        self.news += [(fresh.serial, key, text) for key, text in pkpass.announced(old, fresh)]
        if self.on_change is not None and fresh.manifest != old.manifest:
            self.on_change(fresh.serial)

    def _read(self, answer: httpx.Response) -> PassFile:
        if answer.headers.get("Content-Type") != TYPE:
            raise RefusedByPhone(f"Content-Type {answer.headers.get('Content-Type')}")
        if "Content-Encoding" in answer.headers or "no-store" not in answer.headers.get("Cache-Control", ""):
            raise RefusedByPhone("the package was compressed or may be kept on the way")
        try:
            return pkpass.read(answer.content, root=self.root)
        except BadPass as fault:
            raise RefusedByPhone(str(fault)) from fault

    def _failed(self, held: Held, what: str) -> None:
        since = held.last_modified or "(null)"
        self.report(
            f"Get pass task (pass type {held.file.type}, serial number {held.file.serial}, if-modified-since {since}; "
            f"with web service url {held.file.service}) encountered error: {what}", held,
        )  # fmt: skip

    @staticmethod
    def _proof(held: Held) -> dict[str, str]:
        return {"Authorization": f"ApplePass {held.file.token}"}

    def _registration(self, held: Held) -> str:
        device = quote(self.device_id, safe="")
        path = f"/v1/devices/{device}/registrations/{held.file.type}/{quote(held.file.serial, safe='')}"
        return self._moved(held.file.service + path)

    def _pass(self, held: Held) -> str:
        return self._moved(f"{held.file.service}/v1/passes/{held.file.type}/{quote(held.file.serial, safe='')}")

    def _moved(self, address: str) -> str:
        """Return the address at the server that is to be asked."""
        if not self.base_url:
            return address
        here, asked = urlsplit(self.base_url), urlsplit(address)
        return urlunsplit((here.scheme, here.netloc, asked.path, asked.query, ""))


def _is_later(one: str, other: str) -> bool:
    try:
        return parsedate_to_datetime(one) > parsedate_to_datetime(other)
    except (TypeError, ValueError):
        return False
