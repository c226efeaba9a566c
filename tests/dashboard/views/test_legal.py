"""The legal pages, which every footer links to."""

from typing import Any

import pytest
from django.test import Client


@pytest.mark.parametrize("page", ["terms", "privacy", "imprint"])
@pytest.mark.parametrize("language", ["en", "fr", "de", "lb"])
def test_it_works(db: None, page: str, language: str) -> None:
    answer = Client().get(f"/legal/{page}", headers={"Accept-Language": language})

    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text
    assert "{{" not in answer.text


def test_imprint_says_what_the_operator_set(db: None, settings: Any) -> None:
    settings.OPERATOR = {"address": "1, rue du Moulin\nL-1234 Luxembourg", "email": "hello@example.com"}

    text = Client().get("/legal/imprint").text

    assert "rue du Moulin" in text
    assert "hello@example.com" in text
    assert "VAT" not in text
