"""pass.json against a schema of its own and the rules of this house."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.fakes import pkpass
from tests.wallets.apple.conftest import IDENTITY, Chain
from wallets.providers.apple import lint, strings
from wallets.providers.apple.provider import APPLE
from wallets.rules.description import LANGUAGES, CardDescription, Place, Standing

Describe = Callable[..., CardDescription]
SCHEMA = Draft202012Validator(json.loads((Path(__file__).parent / "pass_schema.json").read_text()))
STAMPS = {"program": {"loyalty_type": "stamps"}, "points": None, "points_expire_on": None}
POINTS = {"program": {"loyalty_type": "points"}, "stamps": None, "stamps_target": None, "next_reward": None}
BARE = {
    "program": {"places": (), "terms": {}, "website": "", "privacy_url": ""},
    "holder": "", "next_reward": None, "card_url": "", "card_number": "",
}  # fmt: skip


def rendered(card: CardDescription) -> pkpass.PassFile:
    return pkpass.read(APPLE.render(card, IDENTITY).content)


def group(found: pkpass.PassFile, name: str) -> list[str]:
    return [field["key"] for field in found.content["storeCard"].get(name, [])]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        STAMPS,
        POINTS,
        BARE,
        {"ready": ("Café offert", "Croissant"), "ends_on": date(2027, 3, 28)},
        {"standing": Standing.SUSPENDED},
        {"standing": Standing.OVER, "code": "", "holder": "", "ends_on": date(2026, 1, 1)},
        {"language": "lb", "holder": 'O\'Brien <b>&amp;</b> "Söhne" 山田\u2028'},
        {"language": "pt"},
    ],
)
def test_it_works(apple: Chain, card: Describe, changes: dict[str, Any]) -> None:
    made = APPLE.render(card(**changes), IDENTITY)

    assert [error.message for error in SCHEMA.iter_errors(pkpass.read(made.content).content)] == []
    assert lint.faults(made.content) == []


def test_hybrid_shows_both_balances_as_texts_under_stable_keys(apple: Chain, card: Describe) -> None:
    """Pitfalls 25 and 26: texts, and an announcement on the balances only."""
    found = rendered(card())

    assert found.values["stamps"] == "3/10"
    assert found.values["points"] == "1250"
    announced = {field["key"]: field["changeMessage"] for field in found.fields() if "changeMessage" in field}
    assert announced.keys() == {"stamps", "points"}
    assert all("%@" in message for message in announced.values())
    assert (group(found, "headerFields"), group(found, "primaryFields")) == (["stamps"], [])


def test_a_program_shows_what_it_counts(apple: Chain, card: Describe) -> None:
    stamps, points = rendered(card(**STAMPS)), rendered(card(**POINTS))

    assert "points" not in stamps.values
    assert "stamps" not in points.values
    assert group(stamps, "headerFields") == ["stamps"]
    assert group(points, "primaryFields") == ["points"]


def test_every_label_is_a_key_in_every_language(apple: Chain, card: Describe) -> None:
    found = rendered(card(ready=("Croissant",), ends_on=date(2027, 3, 28)))

    for language in LANGUAGES:
        words = found.words(language)
        assert {field["label"] for field in found.fields()} <= words.keys()
        assert {field["changeMessage"] for field in found.fields() if "changeMessage" in field} <= words.keys()
        assert all("%@" in text for key, text in words.items() if "%@" in key)


def test_languages_differ(apple: Chain, card: Describe) -> None:
    found = rendered(card())
    label = next(field["label"] for field in found.fields() if field["key"] == "stamps")

    assert (label, found.words("en")[label]) == ("Stamps", "Stamps")
    assert len({found.words(language)[label] for language in LANGUAGES}) >= 3


def test_one_english_text_has_one_translation() -> None:
    """The keys of pass.strings are the English texts: two of a kind must not be told apart elsewhere."""
    for language in LANGUAGES:
        pairs = {(strings.key(name), text) for name, text in strings.texts(language).items()}
        assert len({key for key, _ in pairs}) == len(pairs)


def test_strings_are_quoted() -> None:
    raw = strings.files()["fr.lproj/pass.strings"]

    assert not raw.startswith(b"\xef\xbb\xbf")
    assert all(line.startswith('"') and line.endswith('";') for line in raw.decode().splitlines())


def test_back_explains_the_card(apple: Chain, card: Describe) -> None:
    found = rendered(card())
    back = {field["key"]: field for field in found.content["storeCard"]["backFields"]}

    expected = {"how", "back_next_reward", "places", "terms", "card_page", "card_number", "privacy", "website"}
    assert expected <= back.keys()
    assert back["terms"]["value"] == "Un tampon par café."
    assert back["card_number"]["value"] == "123456789015"
    assert back["how"]["value"] in found.words("de")
    link = "https://coffeelux.example/?a=1&amp;b=2"
    assert back["website"]["attributedValue"] == f'<a href="{link}">{link}</a>'


def test_barcode_is_the_code_and_the_member_number_stands_below(apple: Chain, card: Describe) -> None:
    """Pitfall 25: the message is a text, and its encoding can write it."""
    plain, other = (rendered(card(code=code)).content["barcodes"][0] for code in ("https://a.example/c/x", "Zoë-山"))

    assert plain == {
        "format": "PKBarcodeFormatQR",
        "message": "https://a.example/c/x",
        "messageEncoding": "iso-8859-1",
        "altText": "123456789015",
    }
    assert other["messageEncoding"] == "utf-8"


def test_void_pass_can_come_back(apple: Chain, card: Describe) -> None:
    """Pitfall 31: voided, without barcode, and with its web service."""
    active = rendered(card())
    frozen = rendered(card(standing=Standing.SUSPENDED))
    over = rendered(card(standing=Standing.OVER, ends_on=date(2026, 7, 1)))

    assert "voided" not in active.content
    for found in (frozen, over):
        assert found.content["voided"] is True
        assert "barcodes" not in found.content
        assert "locations" not in found.content
        assert (found.service, found.token) == (active.service, active.token)
        assert "standing" in found.values
    assert over.content["expirationDate"] == "2026-07-01T23:59:59+02:00"


def test_dates_have_the_stores_offset(apple: Chain, card: Describe) -> None:
    """Pitfall 30: an explicit offset, of the day itself."""
    ends = [
        rendered(card(ends_on=day, program={"time_zone": zone})).content["expirationDate"]
        for day, zone in (
            (date(2026, 12, 31), "Europe/Luxembourg"),
            (date(2027, 3, 28), "Europe/Luxembourg"),
            (date(2027, 1, 1), "Atlantic/Azores"),
        )
    ]

    assert ends == ["2026-12-31T23:59:59+01:00", "2027-03-28T23:59:59+02:00", "2027-01-01T23:59:59-01:00"]


def test_ten_places_at_most(apple: Chain, card: Describe) -> None:
    """Pitfall 28: more than ten locations are refused; a place without coordinates is none."""
    places = (Place("nowhere", "x"), *(Place(f"shop {n}", "y", 49 + n / 100, 6.0) for n in range(14)))
    found = rendered(card(program={"places": places})).content["locations"]

    assert [round(place["latitude"], 2) for place in found] == [49 + n / 100 for n in range(10)]
    assert all(place["relevantText"].startswith("shop ") for place in found)


def test_web_service_is_ours_without_v1(apple: Chain, card: Describe, settings: Any) -> None:
    settings.SITE_URL = "https://cards.example"

    assert rendered(card()).content["webServiceURL"] == "https://cards.example/api/v1/loyalty/apple"


def test_store_card_has_nothing_that_is_not_allowed(apple: Chain, card: Describe) -> None:
    """Pitfalls 27, 28, 29: no grouping, no currency, no barcode that old phones cannot show."""
    text = json.dumps(rendered(card()).content)

    for word in ("groupingIdentifier", "currencyCode", "numberStyle", '"barcode"', "null"):
        assert word not in text


def test_serial_token_and_ids_are_no_ones_but_the_passs(apple: Chain, card: Describe) -> None:
    """Rule 26: no database id, e-mail or phone; the description has none to give, and the program's ids stay out."""
    described = card()
    text = json.dumps(rendered(described).content)

    for secret in (described.program.merchant_id, described.program.program_id, described.program.merchant_id.hex):
        assert str(secret) not in text
    assert "@" not in text.replace("%@", "")


def test_tiles_lead_to_the_public_web_only(apple: Chain, card: Describe) -> None:
    with_tiles = rendered(card()).content["featuredActions"]
    without = rendered(card(card_url="http://127.0.0.1:8000/x", program={"website": ""})).content

    assert [tile["type"] for tile in with_tiles] == ["viewOffersRewards", "shop"]
    assert "featuredActions" not in without


def test_field_keys_are_unique_and_the_same_for_every_balance(apple: Chain, card: Describe) -> None:
    """Pitfall 26: a change is announced only where the key stayed."""
    keys = [[field["key"] for field in rendered(card(stamps=n)).fields()] for n in (0, 10)]

    assert keys[0] == keys[1]
    assert len(set(keys[0])) == len(keys[0])
    changed = pkpass.announced(rendered(card()), rendered(card(stamps=4)))
    assert changed == [("stamps", strings.key("stamps_changed").replace("%@", "4/10"))]


def test_schema_refuses_what_it_should(apple: Chain, card: Describe) -> None:
    """The schema itself, so that it cannot agree with everything."""
    content = rendered(card()).content
    spoiled = [
        {**content, "serialNumber": 12},
        {**content, "unknown": True},
        {key: value for key, value in content.items() if key != "webServiceURL"},
        {**content, "barcodes": [{**content["barcodes"][0], "message": 1}]},
        {**content, "locations": content["locations"] * 6},
    ]

    assert all(not SCHEMA.is_valid(one) for one in spoiled)


def test_program_facts_are_the_mappings(apple: Chain, card: Describe) -> None:
    found = rendered(card()).content
    other = rendered(card(program={"branding": replace(card().program.branding, color="#ffffff")})).content

    assert (found["organizationName"], found["logoText"]) == ("CoffeeLux", "CoffeeLux Club")
    assert found["backgroundColor"] == "rgb(90, 45, 26)"
    assert found["foregroundColor"] != other["foregroundColor"]
