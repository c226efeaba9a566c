"""The words of passes: every label in every language, within the room that each wallet gives."""

from datetime import date
from itertools import chain

import pytest

from tests.wallets.pictures.cards import card
from wallets.rules import words
from wallets.rules.description import LANGUAGES, NextReward

MOST = {"stamps": 9, "points": 9, "card_number": 15}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_label_and_its_room(language: str) -> None:
    texts = words.texts(language)

    assert set(texts) == set(chain(words.LABELS, words.CHANGES))
    for key in words.LABELS:
        assert 0 < len(texts[key]) <= MOST.get(key, 35), (key, texts[key])


@pytest.mark.parametrize("language", LANGUAGES)
def test_pitfall_26_only_the_two_change_messages_hold_apple_s_sign(language: str) -> None:
    texts = words.texts(language)

    assert {key for key, text in texts.items() if "%" in text} == set(words.CHANGES)
    assert all(texts[key].count("%@") == 1 for key in words.CHANGES)


def test_a_region_is_no_other_language_and_the_rest_is_english() -> None:
    assert words.texts("fr-LU") == words.texts("fr")
    assert words.texts("pt") == words.texts("en")
    assert words.texts("fr") != words.texts("en")


def test_says_what_is_missing() -> None:
    assert words.next_reward(NextReward("Free coffee", 3, "stamps"), "en") == "3 more to your Free coffee"
    assert words.next_reward(NextReward("Tote bag", 1, "points"), "en") == "1 point to Tote bag"
    assert words.next_reward(None, "en") == ""


def test_a_name_with_a_percent_sign_is_only_a_name() -> None:
    assert words.next_reward(NextReward("50 % off %s", 2, "stamps"), "en") == "2 more to your 50 % off %s"
    assert words.ready(("50 %(x)s", "50 %(x)s"), "en") == "2 × 50 %(x)s"
    assert words.description("100 %", "A&B", "en") == "Loyalty card: 100 %, A&B"


def test_counts_rewards_that_are_alike() -> None:
    assert words.ready(("Coffee", "Cake", "Coffee"), "en") == "2 × Coffee, Cake"
    assert words.ready((), "en") == ""


def test_terms_in_the_reader_s_language_else_the_merchant_s_else_any() -> None:
    terms = {"de": "Auf Deutsch", "fr": "En français"}

    assert words.terms(terms, "de", "fr") == "Auf Deutsch"
    assert words.terms(terms, "lb", "fr") == "En français"
    assert words.terms({"lb": "Op Lëtzebuergesch"}, "en", "fr") == "Op Lëtzebuergesch"
    assert words.terms({}, "en", "fr") == ""


def test_writes_days_as_people_do() -> None:
    assert words.day(date(2026, 3, 10), "en") == "10 March 2026"
    assert words.day(date(2026, 3, 10), "fr") == "10 mars 2026"
    assert words.day(None, "de") == ""


def test_a_card_in_use_says_nothing_of_its_standing() -> None:
    assert words.standing(card(), "en") == ""
