"""A card as Google is told of it: the figures, the texts in four languages, what fits, and what never stands there."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.fakes import google_rules
from wallets.providers.google import mapping
from wallets.providers.google.differences import class_difference, object_difference
from wallets.rules import words
from wallets.rules.description import (
    LANGUAGES,
    Branding,
    CardDescription,
    NextReward,
    Place,
    ProgramDescription,
    Standing,
)  # fmt: skip

CLASS, OBJECT = "3388000000022222222.pAbC-_1", "3388000000022222222.cXyZ-_2"
LOGO, HERO = "https://cards.example.com/media/wallets/a1.png", "https://cards.example.com/media/wallets/b2.png"
PLACES = tuple(Place(f"Store {n}", f"Street {n}", 49.6 + n / 100, 6.1) for n in range(12))
PROGRAM = ProgramDescription(
    merchant_id=UUID(int=1), merchant_name="CoffeeLux", program_id=UUID(int=2), name="CoffeeLux card",
    loyalty_type="stamps", branding=Branding("#5b3a29", "cafe", "", "seed"), language="fr", country="LU",
    currency="EUR", time_zone="Europe/Luxembourg", places=PLACES, terms={"fr": "Une carte par personne."},
    privacy_url="https://cards.example.com/loyalty/gare/privacy",
)  # fmt: skip
CARD = CardDescription(
    program=PROGRAM, card_number="123456789015", code="https://cards.example.com/c/abc", language="de",
    holder="Nora Weber", stamps=3, stamps_target=10, next_reward=NextReward("Kaffee", 7, "stamps"),
    ready=("Kaffee", "Kaffee"), card_url="https://cards.example.com/loyalty/gare/dashboard",
    points_expire_on=date(2027, 1, 31),
)  # fmt: skip
POINTS = replace(CARD, stamps=None, stamps_target=None, points=1250)
HYBRID = replace(CARD, points=1250)


def body_of(card: CardDescription, hero: str = HERO) -> dict[str, Any]:
    return mapping.object_body(card, object_id=OBJECT, class_id=CLASS, hero=hero)


def class_of(program: ProgramDescription = PROGRAM) -> dict[str, Any]:
    return mapping.class_body(program, class_id=CLASS, logo=LOGO)


def in_language(text: dict[str, Any], language: str) -> str:
    """Return what a phone of a language shows."""
    found = {one["language"]: one["value"] for one in [text["defaultValue"], *text["translatedValues"]]}
    return found[language]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("card", [CARD, POINTS, HYBRID], ids=["stamps", "points", "hybrid"])
@pytest.mark.parametrize("standing", Standing)
def test_every_object_is_what_google_published(card: CardDescription, language: str, standing: Standing) -> None:
    assert google_rules.faults_of("LoyaltyObject", body_of(replace(card, language=language, standing=standing))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_class_is_what_google_published(language: str, settings: Any) -> None:
    settings.SITE_URL = "https://cards.example.com"

    assert google_rules.faults_of("LoyaltyClass", class_of(replace(PROGRAM, language=language))) == []


def test_stamps_are_a_string_of_both_numbers() -> None:
    body = body_of(CARD)

    assert body["loyaltyPoints"]["balance"] == {"string": "3/10"}
    assert "secondaryLoyaltyPoints" not in body


def test_points_are_a_whole_number() -> None:
    body = body_of(POINTS)

    assert body["loyaltyPoints"]["balance"] == {"int": 1250}
    assert "secondaryLoyaltyPoints" not in body


def test_a_hybrid_shows_stamps_first_and_points_beside_them() -> None:
    body = body_of(HYBRID)

    assert body["loyaltyPoints"]["balance"] == {"string": "3/10"}
    assert body["secondaryLoyaltyPoints"]["balance"] == {"int": 1250}


@pytest.mark.parametrize(
    ("points", "balance"),
    [(2**31 - 1, {"int": 2**31 - 1}), (2**31, {"string": str(2**31)}), (-5, {"int": -5}), (0, {"int": 0})],
)
def test_pitfall_43_points_beyond_int32_are_a_string(points: int, balance: dict[str, Any]) -> None:
    body = body_of(replace(POINTS, points=points))

    assert body["loyaltyPoints"]["balance"] == balance
    assert google_rules.faults_of("LoyaltyObject", body) == []


def test_pitfall_43_the_kind_that_goes_is_cleared_whatever_a_patch_does_to_what_it_does_not_name() -> None:
    small, big = body_of(POINTS), body_of(replace(POINTS, points=2**31))

    sent = object_difference(small, big)

    assert sent["loyaltyPoints"]["balance"] == {"string": str(2**31), "int": None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_phone_reads_its_language(language: str) -> None:
    label = body_of(HYBRID)["loyaltyPoints"]["localizedLabel"]
    points = body_of(HYBRID)["secondaryLoyaltyPoints"]["localizedLabel"]
    header = next(one for one in body_of(CARD)["textModulesData"] if one["id"] == "next_reward")["localizedHeader"]

    assert in_language(label, language) == words.texts(language)["stamps"]
    assert in_language(points, language) == words.texts(language)["points"]
    assert in_language(header, language) == words.texts(language)["next_reward"]


def test_a_phone_of_another_language_reads_the_customers_then_the_merchants() -> None:
    assert body_of(CARD)["loyaltyPoints"]["localizedLabel"]["defaultValue"]["language"] == "de"
    assert class_of()["localizedAccountIdLabel"]["defaultValue"]["language"] == "fr"


def test_the_code_is_the_address_with_the_number_below() -> None:
    assert body_of(CARD)["barcode"] == {
        "type": "QR_CODE", "value": "https://cards.example.com/c/abc", "alternateText": "123456789015",
        "renderEncoding": "UTF_8",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("standing", "state"),
    [(Standing.ACTIVE, "ACTIVE"), (Standing.SUSPENDED, "INACTIVE"), (Standing.OVER, "EXPIRED")],
)
def test_the_state_follows_the_card(standing: Standing, state: str) -> None:
    assert body_of(replace(CARD, standing=standing))["state"] == state


@pytest.mark.parametrize(
    ("last_day", "ends"),
    [(date(2026, 7, 31), "2026-07-31T23:59:59+02:00"), (date(2026, 12, 31), "2026-12-31T23:59:59+01:00")],
)
@pytest.mark.parametrize("standing", Standing)
def test_a_program_that_ends_says_until_when_its_cards_can_be_used(
    last_day: date, ends: str, standing: Standing
) -> None:
    body = body_of(replace(CARD, ends_on=last_day, standing=standing))

    assert body["validTimeInterval"] == {"end": {"date": ends}}
    assert google_rules.faults_of("LoyaltyObject", body) == []
    assert "validTimeInterval" not in body_of(replace(CARD, standing=standing))


def test_a_program_that_goes_on_after_all_is_told_with_its_state() -> None:
    """Google itself lets an object expire when its time is over: the state that we sent may not be its state now."""
    ending = body_of(replace(CARD, ends_on=date(2026, 7, 31)))

    for base in (ending, body_of(replace(CARD, ends_on=date(2026, 7, 31), standing=Standing.OVER))):
        sent = object_difference(base, body_of(CARD))
        assert (sent["validTimeInterval"], sent["state"]) == (None, "ACTIVE")
    assert object_difference({}, body_of(CARD))["validTimeInterval"] is None
    later = object_difference(ending, body_of(replace(CARD, ends_on=date(2026, 8, 31))))
    assert later["validTimeInterval"] == {"end": {"date": "2026-08-31T23:59:59+02:00"}}
    assert google_rules.faults_of("LoyaltyObject", later, partial=True) == []


def test_a_card_that_is_over_names_nobody_and_opens_nothing() -> None:
    body = body_of(replace(HYBRID, standing=Standing.OVER))

    assert not {"accountName", "accountId", "barcode", "linksModuleData"} & set(body)
    assert not [word for word in ("Nora", "Weber", "123456789015", "/c/abc") if word in json.dumps(body)]


def test_what_is_over_is_cleared_even_where_we_do_not_remember_having_set_it() -> None:
    """Erasing a person scrubs what we remember: Google still has to forget the name, the number and the code."""
    over = body_of(replace(CARD, standing=Standing.OVER))

    for base in ({}, {"textModulesData": [{"id": "ready_1"}]}):
        sent = object_difference(base, over)
        assert [sent[key] for key in ("accountName", "accountId", "barcode", "linksModuleData")] == [None] * 4


def test_long_texts_are_shortened_and_nothing_is_refused() -> None:
    program = replace(PROGRAM, name="N" * 200, merchant_name="M" * 200, terms={"lb": "t" * 5000, "en": "u" * 5000})
    card = replace(CARD, program=program, holder="Ä" * 120, ready=tuple("R" * 90 for _ in range(20)))

    assert google_rules.faults_of("LoyaltyClass", class_of(program)) == []
    assert google_rules.faults_of("LoyaltyObject", body_of(card)) == []
    assert class_of(program)["issuerName"] == "M" * 19 + "…"


def test_nothing_empty_is_sent() -> None:
    bare = replace(CARD, holder="", ready=(), next_reward=None, card_url="", points_expire_on=None)
    program = replace(PROGRAM, places=(), terms={}, privacy_url="", country="")

    assert google_rules.faults_of("LoyaltyObject", body_of(bare, hero="")) == []
    assert google_rules.faults_of("LoyaltyClass", class_of(program)) == []
    assert not {"accountName", "textModulesData", "linksModuleData", "heroImage"} & set(body_of(bare, hero=""))


def test_at_most_ten_places_and_only_those_on_the_map() -> None:
    nowhere = (Place("Kiosk", "Somewhere"), *PLACES)

    assert len(class_of()["merchantLocations"]) == 10
    assert class_of(replace(PROGRAM, places=nowhere[:3]))["merchantLocations"] == [
        {"latitude": 49.6, "longitude": 6.1}, {"latitude": 49.61, "longitude": 6.1},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("site", "base", "url"),
    [
        (
            "https://cards.example.com",
            mapping.OFFICIAL_BASE,
            "https://cards.example.com/api/v1/loyalty/google/callback",
        ),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9", "http://127.0.0.1:8000/api/v1/loyalty/google/callback"),
        ("http://127.0.0.1:8000", mapping.OFFICIAL_BASE, None),
    ],
)
def test_google_is_told_where_to_report_where_it_can_reach_us(
    settings: Any, site: str, base: str, url: str | None
) -> None:
    settings.SITE_URL, settings.LOYALTY_GOOGLE_API_BASE = site, base

    assert class_of().get("callbackOptions", {}).get("url") == url


def test_one_person_on_all_their_devices_may_hold_a_card() -> None:
    assert class_of()["multipleDevicesAndHoldersAllowedStatus"] == "ONE_USER_ALL_DEVICES"


def test_pitfall_35_a_change_of_a_class_goes_to_review() -> None:
    new = class_of(replace(PROGRAM, name="Another"))

    assert class_difference(class_of(), new) == {"programName": "Another", "reviewStatus": "UNDER_REVIEW",
        "programLogo": new["programLogo"]
    }  # fmt: skip
    assert class_difference(new, new) == {}


def test_pitfall_37_only_what_differs_is_sent_lists_whole_and_null_for_what_goes() -> None:
    old = body_of(CARD)
    new = body_of(replace(CARD, stamps=4, holder="", next_reward=NextReward("Kaffee", 6, "stamps")))

    sent = object_difference(old, new)

    assert set(sent) == {"loyaltyPoints", "accountName", "textModulesData"}
    assert sent["accountName"] is None
    assert sent["textModulesData"] == new["textModulesData"]
    assert object_difference(new, new) == {}


def test_the_number_of_rewards_can_be_read_back() -> None:
    assert mapping.ready_count(body_of(CARD)) == 2
    assert mapping.ready_count(body_of(replace(CARD, ready=()))) == 0
    assert mapping.ready_count({}) == 0
