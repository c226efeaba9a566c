"""From the landing page to a poster in the hand: how many taps and letters it takes, and the way by keyboard."""

import re
import time
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from django.core.mail import EmailMessage

from tests.support.till import EXPECTED, hook

pytestmark = pytest.mark.browser
MOST_TAPS, MOST_LETTERS, MOST_SECONDS = 15, 80, 60


@dataclass
class Hand:
    """A merchant's phone, which counts what the hand does."""

    page: Any
    taps: int = 0
    letters: int = 0

    def tap(self, target: str) -> None:
        """Tap on something and wait for what comes."""
        self.taps += 1
        self.page.click(target)
        self.page.wait_for_load_state()

    def types(self, name: str, text: str) -> None:
        """Tap into a field and type."""
        self.taps += 1
        self.letters += len(text)
        self.page.fill(f"main [name={name}]", text)


@pytest.fixture
def hand(site: Any, chromium: Any) -> Any:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", base_url=site.url)
    context.set_default_timeout(10_000)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    yield Hand(page)
    context.close()
    assert [text for text in complaints if not EXPECTED.match(text)] == []


def sign_up(hand: Hand, mailbox: list[EmailMessage]) -> None:
    """Fill in the form and open the link that comes by mail."""
    hand.page.goto("/")
    hand.tap("main .btn-fill")
    hand.types("business_name", "Café Nora")
    hand.types("email", "nora@example.com")
    hand.types("password", "three little words 9")
    hand.tap("main button.btn-fill")
    found = re.search(r"http\S+confirm-email/\S+", str(mailbox[-1].body))
    assert found is not None
    hand.taps += 1  # on the link in the mail
    hand.page.goto(found.group(0))
    hand.tap("main form[method=post] button")
    assert hand.page.url.endswith("/store/onboarding/1")


def test_a_poster_takes_few_taps_and_letters(hand: Hand, mailoutbox: list[EmailMessage], tmp_path: Any) -> None:
    began = time.monotonic()
    sign_up(hand, mailoutbox)
    hand.tap("main button:has-text('Continue')")
    hand.tap("main button:has-text('Continue')")
    hand.types("city", "Luxembourg")
    hand.types("person", "Anna")
    hand.tap("main button:has-text('Continue')")
    hand.tap("main a:has-text('Continue')")
    with hand.page.expect_download() as download:
        hand.tap(hook("first-poster"))
    file = tmp_path / "poster.pdf"
    download.value.save_as(file)

    codes = zxingcpp.read_barcodes(pypdfium2.PdfDocument(file)[0].render(scale=1.5).to_pil())
    assert [code.text for code in codes] == [f"{hand.page.url.split('/store/')[0]}/loyalty/cafe-nora/enroll"]
    assert hand.taps <= MOST_TAPS
    assert hand.letters <= MOST_LETTERS
    assert time.monotonic() - began < MOST_SECONDS, "what the machine adds to what the hand needs"


def test_enter_moves_on_and_the_way_past_stands_apart(hand: Hand, mailoutbox: list[EmailMessage]) -> None:
    sign_up(hand, mailoutbox)
    hand.page.press("main [name=stamps_reward_description]", "Enter")
    hand.page.wait_for_url("**/store/onboarding/2")
    hand.tap("main button:has-text('Skip for now')")
    assert hand.page.url.endswith("/store/onboarding/3")
    hand.tap("main button:has-text('Skip for now')")
    assert hand.page.url.endswith("/store/onboarding/4")
    assert "Skip" not in hand.page.inner_text("main")
    assert "Ready" in hand.page.inner_text("h1"), "the first step was saved, not skipped"
