"""An inspector of pages in a real browser: what axe, the console, the policy and the ruler find, page by page."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

AXE = Path(__file__).resolve().parents[1] / "browser" / "vendor" / "axe-core" / "axe.min.js"
NARROW, PHONE, WIDE = 320, 390, 1280
HEIGHTS = {NARROW: 640, PHONE: 844, WIDE: 800}
REFUSED = re.compile(r"responded with a status of 4\d\d")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The findings that count, each with the first elements that it is about.
RUN_AXE = """async ([tags, rules]) => {
  const only = rules ? {type: "rule", values: rules} : {type: "tag", values: tags};
  const found = await axe.run(document, {runOnly: only, resultTypes: ["violations"], preload: false});
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) =>
    `${one.id}: ${one.nodes.length} x, ${one.nodes.slice(0, 2).map((node) =>
      `${node.target.join(" ")} (${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""})`).join("; ")}`);
}"""
# Colours that fade from one theme to the other are read when they have arrived.
SETTLE = """() => Promise.race([new Promise((done) => setTimeout(done, 1000)),
  Promise.allSettled(document.getAnimations().map((one) => one.finished))]).then(() => null)"""
# What reaches out of the page on the right, unless something around it scrolls or hides it.
MEASURE = """() => {
  const width = document.documentElement.clientWidth;
  const over = document.documentElement.scrollWidth - width;
  if (over <= 0) return null;
  const names = [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width + 0.5)
    .map((one) => `${one.tagName.toLowerCase()}.${[...one.classList].join(".")}`);
  return `${over} px too wide at ${width}: ${[...new Set(names)].slice(-4).join(", ")}`;
}"""
FRAME = """() => [
  [...document.querySelectorAll("h1")].filter((one) => one.checkVisibility()).length,
  document.documentElement.lang, document.title.trim()]"""


@cache
def axe_source() -> str:
    """Return axe-core, which runs by evaluation: a script element would break the policy."""
    return AXE.read_text(encoding="utf-8")


@dataclass
class Inspector:
    """One tab that looks at page after page; `faults` has what was found, by page."""

    page: Any
    site_url: str
    faults: dict[str, list[str]] = field(default_factory=dict)
    looks: int = 0
    # A refusal of the API is an error in the console, whatever the page makes of it.
    expects_refusals: bool = False
    _heard: list[str] = field(default_factory=list)
    _expected: str = ""

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self._heard.append(f"script: {error}"))
        self.page.on("console", self._hear)
        self.page.on("request", lambda sent: self._watch(sent.url))

    def visit(self, path: str, *, width: int = PHONE, language: str = "en", status: int = 200) -> None:
        """Open an address and inspect the page."""
        self._expected = "" if status < 400 else f"{self.site_url}{path}"
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        answer = self.page.goto(f"{self.site_url}{path}")
        if answer.status != status:
            self._heard.append(f"answered {answer.status}")
        if self.page.locator("#swagger-ui").count():
            self.page.locator("#swagger-ui .opblock-tag").first.wait_for()
        self.inspect(path, width=width, language=language)

    def glance(self, path: str, *, language: str) -> None:
        """Open an address on the smallest phone in a language; axe has seen the page in English."""
        self.page.set_viewport_size({"width": NARROW, "height": HEIGHTS[NARROW]})
        self.page.goto(f"{self.site_url}{path}")
        self.looks += 1
        self._note(f"{path} {language}", [*self._frame(language), *self._measured(NARROW)])

    def inspect(self, name: str, *, width: int = PHONE, language: str = "en") -> None:
        """Inspect the page as it stands: axe at one width in both themes, the ruler at all three."""
        self.looks += 1
        found = [*self._frame(language), *self._axe()]
        for other in (NARROW, PHONE, WIDE):
            found += self._measured(other)
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        self._note(name, found)

    def submit(self, path: str, **values: str) -> None:
        """Send the page's own form, filled in, past the browser's own checks; inspect what comes. "on" ticks a box."""
        self._expected = f"{self.site_url}{path}"
        self.page.goto(self._expected)
        named = "".join(f":has([name={name}])" for name in values)
        form = self.page.locator(f"main form[method=post]{named}").last
        for name, value in values.items():
            field = form.locator(f"[name={name}]").first
            field.check() if value == "on" else field.fill(value)
        with self.page.expect_navigation():
            form.evaluate("(form) => { form.noValidate = true; form.requestSubmit(); }")
        self.inspect(f"{path} sent {values}")

    def _axe(self) -> list[str]:
        self.page.evaluate(axe_source())
        found = list(self.page.evaluate(RUN_AXE, [TAGS, None]))
        self.page.emulate_media(color_scheme="dark")
        self.page.evaluate(SETTLE)
        found += [f"dark {one}" for one in self.page.evaluate(RUN_AXE, [TAGS, ["color-contrast"]])]
        self.page.emulate_media(color_scheme="light")
        return found

    def _measured(self, width: int) -> list[str]:
        if self.page.viewport_size["width"] != width:
            self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        found = self.page.evaluate(MEASURE)
        return [found] if found else []

    def _frame(self, language: str) -> list[str]:
        headings, lang, title = self.page.evaluate(FRAME)
        found = [] if headings == 1 else [f"{headings} h1"]
        if lang != language:
            found.append(f"lang={lang!r}")
        if not title or title.startswith("·"):
            found.append(f"title {title!r}")
        return found

    def _note(self, name: str, found: list[str]) -> None:
        found = [*self._heard, *found]
        self._heard.clear()
        if found:
            self.faults.setdefault(name, []).extend(found)

    def _hear(self, message: Any) -> None:
        url = message.location.get("url", "")
        known = (self._expected and url == self._expected) or (self.expects_refusals and "/api/v1/" in url)
        if message.type in ("error", "warning") and not (known and REFUSED.search(message.text)):
            self._heard.append(f"{message.type}: {message.text}")

    def _watch(self, url: str) -> None:
        if not url.startswith((f"{self.site_url}/", f"blob:{self.site_url}/", "data:", "about:")):
            self._heard.append(f"asks outside: {url}")
