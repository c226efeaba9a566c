"""Mails of the platform to people who work with it: the text as written, and beside it the same words as a page."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import get_language

LINK = re.compile(r"https?://\S+")
# Ink blue and white: the platform's own mark has no merchant's colour.
FACE = {"merchant": "#2F3BBF", "text": "#FFFFFF"}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of the text; one that is nothing but an address becomes the button."""

    text: str

    @property
    def is_link(self) -> bool:
        """Tell whether the paragraph is an address alone."""
        return LINK.fullmatch(self.text) is not None


def blocks(body: str) -> list[Block]:
    """Return the paragraphs of a text, without the platform's name that closes it: the page has it at its head."""
    found = [Block(part.strip()) for part in re.split(r"\n\s*\n", body) if part.strip()]
    return found[:-1] if found and found[-1].text == settings.PLATFORM_NAME else found


def message(subject: str, body: str, to: str) -> EmailMultiAlternatives:
    """Return a mail of the platform as text and page, in the language that is active."""
    subject, body = " ".join(subject.split()), body.strip() + "\n"
    made = EmailMultiAlternatives(subject, body, settings.DEFAULT_FROM_EMAIL, [to])
    made.attach_alternative(page(subject, body), "text/html")
    return made


def page(subject: str, body: str) -> str:
    """Return the page of a text, in the language that is active."""
    context = {
        "subject": subject, "blocks": blocks(body), "face": FACE, "name": settings.PLATFORM_NAME,
        "language": get_language() or settings.LANGUAGE_CODE,
    }  # fmt: skip
    return render_to_string("mail/page.html", context)
