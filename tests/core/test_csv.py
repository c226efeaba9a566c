"""Promise 17: a file that no spreadsheet runs, and that every reader reads back as it was."""

import csv as reader
import io
import string
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import csv
from core.ids import uuid7


def read(*rows: list[Any]) -> list[list[str]]:
    data = b"".join(csv.stream(["a"], rows)).decode("utf-8-sig")
    return list(reader.reader(io.StringIO(data, newline="")))[1:]


def test_it_works() -> None:
    data = b"".join(csv.stream(["id", "name"], [[1, 'Léa "L" Klein, Gare'], [-2, "two\r\nlines"]]))

    assert data == (
        '\ufeffid,name\r\n1,"Léa ""L"" Klein, Gare"\r\n-2,"two\r\nlines"\r\n'
    ).encode()  # fmt: skip


@pytest.mark.parametrize("start", "=+-@\uff1d\uff0b\uff0d\uff20\u2212")
@pytest.mark.parametrize(
    "before",
    ["", " ", "\t", "\r", "\n", "\u00a0", "\u200b", "\ufeff", "\u202e", '"', "'", " \t ", "\x00", "\x1b", "\u3000"],
)
def test_takes_the_power_from_formulas(start: str, before: str) -> None:
    shown = csv.cell(f"{before}{start}cmd|' /C calc'!A0")

    assert shown.startswith("'")
    assert "\x00" not in shown


@pytest.mark.parametrize("text", ["\tplain", "\rplain", "\nplain"])
def test_a_tab_or_line_break_in_front_is_no_text_of_its_own(text: str) -> None:
    assert csv.cell(text) == f"'{text}"


@pytest.mark.parametrize("separator", [";", "|", "\t", "\n"])
@pytest.mark.parametrize("quote", ["", '"', " "])
def test_takes_the_power_from_what_another_separator_would_cut_off(separator: str, quote: str) -> None:
    """A spreadsheet set to German or French cuts at the semicolon, whatever the file's own separator."""
    assert csv.cell(f"Klein{separator}{quote}=cmd()") == f"Klein{separator}'{quote}=cmd()"


@pytest.mark.parametrize("text", ["Jean-Paul", "a=b", "marie+card@example.com", "Rue d'Eich 4 - 6", "", "5 @ 3", "ÄÖ"])
def test_leaves_ordinary_texts_as_they_are(text: str) -> None:
    assert csv.cell(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""), (True, "true"), (False, "false"), (0, "0"), (-5, "-5"), (2**70, str(2**70)),
        (Decimal("-1.50"), "-1.50"),
        (date(2026, 3, 1), "2026-03-01"), (datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC), "2026-03-01T12:00:05Z"),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T10:00:00Z"),
    ],
)  # fmt: skip
def test_writes_values_as_the_api_does(value: Any, shown: str) -> None:
    assert csv.cell(value) == shown
    identifier = uuid7()
    assert csv.cell(identifier) == str(identifier)


def test_text_that_looks_like_a_number_below_zero_is_neutralised_all_the_same() -> None:
    assert csv.cell("-5") == "'-5"
    assert csv.cell("+352 621 123 456") == "'+352 621 123 456"


def test_drops_what_no_file_can_hold() -> None:
    assert csv.cell("Ma\x00rie\x07") == "Marie"
    assert b"".join(csv.stream(["a"], [["half \ud800 pair"]])).endswith(b"half ? pair\r\n")


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), min_size=2, max_size=4))
def test_any_text_comes_back_and_never_as_a_formula(texts: list[str]) -> None:
    [row] = read([*texts])

    for text, shown in zip(texts, row, strict=True):
        assert not shown.lstrip(string.whitespace + "\x0b\x0c").startswith(("=", "+", "-", "@"))
        assert shown.replace("'", "") == csv._UNPRINTED.sub("", text).replace("'", "")


def test_writes_in_blocks() -> None:
    blocks = list(csv.stream(["a"], ([n, "x" * 100] for n in range(5000))))

    assert len(blocks) > 10
    assert max(map(len, blocks)) < 2 * csv.BLOCK
