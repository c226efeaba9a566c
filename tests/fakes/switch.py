"""A fault that somebody switches on: it ends by itself, and only one of a provider is on at a time."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.happenings import Happenings
from tests.fakes.phone_page import Refused


class Switch:
    """The faults of one provider."""

    def __init__(
        self, title: str, choices: Mapping[str, str], turn: Callable[[str], None], happenings: Happenings
    ) -> None:
        self.title, self.choices, self.active = title, dict(choices), ""
        self._turn, self._happenings = turn, happenings
        self._lock, self._timer = threading.RLock(), threading.Timer(0, lambda: None)

    def shown(self, provider: str) -> dict[str, Any]:
        """Return what the page needs."""
        choices = [{"name": name, "label": label} for name, label in self.choices.items()]
        return {"provider": provider, "title": self.title, "active": self.active, "choices": choices}

    def turn(self, name: str, seconds: float) -> None:
        """Switch a fault on for some seconds, or all of them off ("")."""
        if name not in self.choices:
            raise Refused("There is no such fault.")
        with self._lock:
            self._timer.cancel()
            self._set(name)
            if name:
                self._timer = threading.Timer(seconds, self._over, [name])
                self._timer.daemon = True
                self._timer.start()

    def _over(self, name: str) -> None:
        with self._lock:
            if self.active == name:
                self._set("")

    def _set(self, name: str) -> None:
        self._turn(name)
        self.active = name
        self._happenings.note("fault", f"{self.title.partition(',')[0]}: {self.choices[name].lower()}", bad=bool(name))
