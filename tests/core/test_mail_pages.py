"""Mails of the platform: the words as text, and the same words as a page."""

from django.utils import translation

from core import mail_pages
from core.mail_pages import Block

TEXT = """Hello,

Open this link and join:

https://loyalty.example/invitations/abc

It works once.
Nothing else comes.

Stempel
"""


def test_an_address_alone_is_the_button_and_the_closing_name_is_at_the_head(settings: object) -> None:
    settings.PLATFORM_NAME = "Stempel"  # type: ignore[attr-defined]

    found = mail_pages.blocks(TEXT)

    assert [block.text for block in found if block.is_link] == ["https://loyalty.example/invitations/abc"]
    assert found[-1] == Block("It works once.\nNothing else comes.")


def test_the_page_says_what_the_text_says_in_its_language() -> None:
    with translation.override("fr"):
        made = mail_pages.message("Join\n us", TEXT.replace("It works", "<b>It</b> works"), "lea@example.com")

    ((page, form),) = made.alternatives
    assert (made.subject, form) == ("Join us", "text/html")
    assert '<html lang="fr">' in page
    assert "<b>It</b>" not in page
    assert 'href="https://loyalty.example/invitations/abc"' in page
    assert not [tag for tag in ("<img", "<script", "<link", "style=") if tag in page]


def test_an_address_inside_a_sentence_becomes_no_link() -> None:
    with translation.override("en"):
        page = mail_pages.page("Join", "Visit https://elsewhere.example/x now, says Mallory.\n\nBye.")

    assert "<a " not in page
