"""The API's JSON reader: exact numbers, and a clean refusal of everything that could hurt later."""

import io
from decimal import Decimal

import pytest

from core.api import parsers
from core.api.parsers import ExactJSONParser, RequestTooLarge
from core.errors import ValidationFailed


def read(raw: bytes) -> object:
    return ExactJSONParser().parse(io.BytesIO(raw))


def test_it_works() -> None:
    assert read(b'{"name": "Caf\xc3\xa9", "n": 3, "rate": 0.1, "on": true, "off": null, "list": [1, "a"]}') == {
        "name": "Café",
        "n": 3,
        "rate": Decimal("0.1"),
        "on": True,
        "off": None,
        "list": [1, "a"],
    }


def test_a_number_keeps_its_decimal_text() -> None:
    assert str(read(b"0.10")) == "0.10"
    assert read(b"1e-2") == Decimal("0.01")


def test_an_integer_beyond_64_bits_stays_exact() -> None:
    assert read(b"18446744073709551616") == 2**64


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"", "invalid_json", id="nothing"),
        pytest.param(b"{", "invalid_json", id="half an object"),
        pytest.param(b"{'a': 1}", "invalid_json", id="single quotes"),
        pytest.param(b'{"a": NaN}', "invalid_json", id="NaN"),
        pytest.param(b'{"a": -Infinity}', "invalid_json", id="Infinity"),
        pytest.param(b'{"a": "\xff"}', "invalid_json", id="not UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', "invalid_json", id="byte order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), "invalid_json", id="UTF-16"),
        pytest.param(b'{"a": 1, "a": 2}', "duplicate_name", id="a name twice"),
        pytest.param(b"[" * 400_000, "too_deep", id="open brackets"),
        pytest.param(b"[" * 30 + b"]" * 30, "too_deep", id="thirty lists"),
        pytest.param(b'{"a":' * 30 + b"1" + b"}" * 30, "too_deep", id="thirty objects"),
        pytest.param(b"1" * 5000, "number_too_large", id="5000 digits"),
        pytest.param(b"1e999999999", "number_too_large", id="huge exponent"),
        pytest.param(b"1e-999999999", "number_too_large", id="tiny exponent"),
        pytest.param(b"0." + b"1" * 5000, "number_too_large", id="5000 decimals"),
    ],
)
def test_bad_input_is_a_validation_error(raw: bytes, code: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        read(raw)

    assert [problem[0] for problem in refusal.value.errors["non_field_errors"]] == [code]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        pytest.param(b'{"name": "a\\u0000b"}', "name", id="NUL"),
        pytest.param(b'{"name": "\\ud800"}', "name", id="half a surrogate pair"),
        pytest.param(b'{"terms": {"en": "\\u0000"}}', "terms.en", id="NUL inside"),
        pytest.param(b'{"list": ["a", "\\u0000"]}', "list.1", id="NUL in a list"),
        pytest.param(b'{"a\\u0000": 1}', "non_field_errors", id="NUL in a name"),
        pytest.param(b'"\\u0000"', "non_field_errors", id="NUL alone"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_field(raw: bytes, field: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        read(raw)

    assert list(refusal.value.errors) == [field]
    assert refusal.value.errors[field][0][0] == "null_characters_not_allowed"


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert read(b'"\\ud83d\\ude00"') == "😀"


def test_more_than_a_megabyte_is_too_large() -> None:
    assert read(b'"' + b"a" * (parsers.MAX_BYTES - 2) + b'"') == "a" * (parsers.MAX_BYTES - 2)
    with pytest.raises(RequestTooLarge):
        read(b'"' + b"a" * (parsers.MAX_BYTES - 1) + b'"')
