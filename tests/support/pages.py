"""A page in a real browser that notes what it complains about, and what came over the wire."""

import gzip
from dataclasses import dataclass, field
from typing import Any

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    "Mobile Safari/537.36"
)
COMPRESSED = ("text/", "application/json", "image/svg", "javascript")
FONTS = (".woff2", ".woff", ".ttf")


@dataclass
class Listener:
    """What a page said in its console, and the bytes of each answer as they would be sent compressed."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    # A test that cuts the network, or opens what is over, expects requests to fail.
    expects_failures: bool = False

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self._hear(message))
        self.page.on("response", lambda answer: self.answers.append(answer))

    def _hear(self, message: Any) -> None:
        lost = self.expects_failures and "Failed to load resource" in message.text
        if message.type in ("error", "warning") and not lost:
            self.complaints.append(message.text)

    def weigh(self) -> dict[str, int]:
        """Return the compressed bytes of each answer since the last time, without fonts."""
        found = {}
        for answer in self.answers:
            if answer.url.endswith(FONTS) or answer.status in (204, 301, 302, 303, 304):
                continue
            # Asked once more: the browser may have thrown away what it has shown.
            body = self.page.request.get(answer.url).body()
            packed = any(kind in answer.headers.get("content-type", "") for kind in COMPRESSED)
            found[answer.url] = len(gzip.compress(body, 6)) if packed else len(body)
        self.answers.clear()
        return found

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
