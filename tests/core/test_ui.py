"""Template tags: stamps turn alike at every load, codes hold what they say, money and dates read as people write."""

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone, translation

from core.templatetags import ui


class Enrolment(forms.Form):
    name = forms.CharField(help_text="As friends call you", widget=forms.TextInput(attrs={"class": "wide"}))
    email = forms.EmailField(required=False)
    news = forms.BooleanField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect, required=False)
    country = forms.ChoiceField(choices=[("lu", "Luxembourg")], required=False)
    note = forms.CharField(widget=forms.Textarea, required=False)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"), timezone.override("Europe/Luxembourg"):
        yield


def test_turns_a_mark_within_the_range_and_always_alike() -> None:
    turns = {(card, place): ui.rotation(card, place) for card in range(40) for place in range(10)}

    assert all(-12 <= turn <= 11 for turn in turns.values())
    assert len(set(turns.values())) > 15
    assert all(ui.rotation(card, place) == turn for (card, place), turn in turns.items())


def test_fills_a_tray_up_to_the_count() -> None:
    places = ui.slots(7, 10, "card", 2)

    assert [place.filled for place in places] == [True] * 7 + [False] * 3
    assert [place.number for place in places if place.fresh] == [6, 7]
    assert [place.number for place in places if place.gift] == [10]


def test_shows_no_gift_place_on_a_full_tray() -> None:
    assert not any(place.gift for place in ui.slots(10, 10))
    assert ui.slots(3, 0) == []


@pytest.mark.parametrize("level", ["M", "Q"])
def test_draws_a_code_with_a_quiet_zone_of_four_modules(level: str) -> None:
    code = ui.qr_svg("http://127.0.0.1:8000/c/7f3a9c", level)

    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", code.path)
    assert "".join(f"M{x} {y}h{w}v1h-{w}z" for x, y, w, _ in runs) == code.path
    assert min(int(x) for x, *_ in runs) == min(int(y) for _, y, *_ in runs) == ui.QUIET_ZONE
    assert max(int(x) + int(w) for x, _, w, _ in runs) == code.size - ui.QUIET_ZONE
    assert ("4", "4", "7", "7") in runs


@pytest.mark.parametrize(
    ("language", "text"), [("en", "1,234.50 €"), ("fr", "1 234,50 €"), ("de", "1.234,50 €"), ("lb", "1.234,50 €")]
)
def test_writes_money_as_the_reader_does(language: str, text: str) -> None:
    with translation.override(language):
        shown = ui.money(123450, "EUR")

    assert re.sub(r"\s", " ", shown) == text


def test_takes_the_digits_of_the_currency() -> None:
    assert re.findall(r"[\d.]+", ui.money(500, "JPY")) == ["500"]
    assert re.findall(r"[\d.]+", ui.money(500, "EUR")) == ["5.00"]
    assert ui.money(None) == ""


def test_says_when_as_people_do() -> None:
    now = timezone.now()

    assert ui.when(now) == f"today, {ui.clock(now)}"
    assert ui.when(now - dt.timedelta(days=1)).startswith("yesterday, ")
    assert ui.when(dt.datetime(2020, 3, 4, 13, 5, tzinfo=dt.UTC)) == "4 Mar 2020, 14:05"
    assert ui.localdate(dt.datetime(2020, 3, 4, 23, 30, tzinfo=dt.UTC)) == "5 Mar 2020"


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        ("en", 1234, "1,234 points"), ("de", 1234, "1.234 Punkte"), ("fr", 1234, "1\u202f234 points"),
        ("en", 1, "1 point"), ("de", None, "0 Punkte"),
    ],
)  # fmt: skip
def test_counts_with_the_readers_separators(language: str, count: int | None, text: str) -> None:
    source = (
        "{% load i18n ui %}{% blocktranslate count counter=points|counted %}"
        "{{ counter }} point{% plural %}{{ counter }} points{% endblocktranslate %}"
    )
    with translation.override(language):
        assert Template(source).render(Context({"points": count})) == text


def test_groups_a_card_number_in_fours() -> None:
    assert ui.card_number("412780930576") == "4127 8093 0576"


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("name", "text"),
        ("email", "email"),
        ("news", "checkbox"),
        ("kind", "radio"),
        ("country", "select"),
        ("note", "textarea"),
    ],
)
def test_tells_the_kind_of_a_control(field: str, kind: str) -> None:
    assert ui.input_type(Enrolment()[field]) == kind


def test_ties_the_hint_or_the_error_to_the_control() -> None:
    fresh, wrong = Enrolment(), Enrolment({"email": "x"})

    assert 'aria-describedby="id_name_helptext"' in ui.control(fresh["name"])
    assert 'class="wide input"' in ui.control(fresh["name"])
    assert 'aria-describedby="id_email_error"' in ui.control(wrong["email"])
    assert 'aria-invalid="true"' in ui.control(wrong["email"])
    assert 'inputmode="email"' in ui.control(fresh["email"])
    assert "aria-describedby" not in ui.control(fresh["email"])
    assert "class" not in ui.control(fresh["news"])
