"""The form of tokens and codes."""

import pytest

from stores.rules import tokens


def test_api_key_has_the_agreed_form_and_reads_back() -> None:
    made = tokens.new_api_key()

    assert made.text.startswith(f"lk_{made.prefix}_")
    assert len(made.prefix) == 8
    assert made.text not in made.hash
    assert tokens.read_api_key(made.text) == made


@pytest.mark.parametrize("text", ["", "lk_", "lk_abcdefgh", "lk_abcdefgh_short", "xx_abcdefgh_" + "a" * 43, "a" * 9000])
def test_read_api_key_returns_none_for_other_forms(text: str) -> None:
    assert tokens.read_api_key(text) is None
    assert tokens.read_terminal_token(text) is None


def test_pairing_code_is_easy_to_read_and_forgives_how_it_is_typed() -> None:
    code = tokens.new_pairing_code()

    assert len(code) == 8
    assert not set(code) & set("01OILU")
    assert tokens.clean_pairing_code(f" {code[:4].lower()}-{code[4:]} ") == code


def test_pairing_code_hash_needs_the_secret_key(settings: object) -> None:
    before = tokens.hash_pairing_code("ABCDEFGH")

    settings.SECRET_KEY = "another-secret-key-for-tests-0123456789"  # type: ignore[attr-defined]

    assert tokens.hash_pairing_code("ABCDEFGH") != before
