"""A card as pass.json of the style storeCard; the mapping of one card to two wallets, Apple's half.

Labels and change messages are keys of pass.strings; values are the card's own, in its customer's language. The keys of
fields never change: a phone announces a change only where the key stayed and the value did not.
"""

from datetime import date
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from wallets.providers.apple import strings
from wallets.providers.base import PassIdentity
from wallets.providers.errors import CannotRender
from wallets.rules import colours, words
from wallets.rules.description import MOST_PLACES, CardDescription, NextReward, Place, Standing

TOKEN_LEAST = 16
WEB_SERVICE = "/api/v1/loyalty/apple"
LATIN = "iso-8859-1"
Fields = list[dict[str, Any]]


def build(card: CardDescription, identity: PassIdentity, *, pass_type_id: str, team_id: str) -> dict[str, Any]:
    """Return the content of pass.json; raises CannotRender for a pass that no phone would take.

    A card that cannot be used is void: without barcode, but with its web service, so that it can come back.
    """
    if not identity.name or len(identity.token) < TOKEN_LEAST:
        raise CannotRender(f"A pass needs a serial number and a token of at least {TOKEN_LEAST} characters.")
    program = card.program
    content = {
        "formatVersion": 1,
        "passTypeIdentifier": pass_type_id,
        "teamIdentifier": team_id,
        "serialNumber": identity.name,
        "authenticationToken": identity.token,
        "webServiceURL": f"{settings.SITE_URL}{WEB_SERVICE}",
        "organizationName": _required(program.merchant_name, "merchant's name"),
        "description": _description(program.name, program.merchant_name, card.language),
        "logoText": _required(program.name, "program's name"),
        **_colours(program.branding.color),
        "storeCard": _store_card(card),
    }
    if card.ends_on is not None:
        content["expirationDate"] = card.ends_at
    if card.standing != Standing.ACTIVE:
        return {**content, "voided": True}
    places = _locations(program.places, card.language)
    actions = _actions(card)
    return {
        **content,
        **({"barcodes": [_barcode(card)]} if card.code else {}),
        **({"locations": places} if places else {}),
        **({"featuredActions": actions} if actions else {}),
    }


def _required(text: str, what: str) -> str:
    if not text.strip():
        raise CannotRender(f"The {what} is empty.")
    return text


@lru_cache(maxsize=4096)
def _colours(color: str) -> dict[str, str]:
    found = colours.of(color)
    return {
        "backgroundColor": colours.rgb(found.background),
        "foregroundColor": colours.rgb(found.foreground),
        "labelColor": colours.rgb(found.label),
    }


def _store_card(card: CardDescription) -> dict[str, Fields]:
    """Spread a card's facts over a pass. The stamps' picture is the strip, so nothing is written over it."""
    stamps, points = _balance("stamps", card.stamps_text), _balance("points", card.points_text)
    over_strip = [] if stamps else points
    beside = points if stamps else []
    groups = {
        "headerFields": stamps,
        "primaryFields": over_strip,
        "secondaryFields": [*beside, *_rewards(card)],
        "auxiliaryFields": _text("holder", card.holder),
        "backFields": _back(card),
    }
    return {name: fields for name, fields in groups.items() if fields}


def _balance(kind: str, value: str) -> Fields:
    if not value:
        return []
    return [{"key": kind, "label": strings.key(kind), "value": value, "changeMessage": strings.key(f"{kind}_changed")}]


def _text(name: str, value: str, label: str = "") -> Fields:
    return [{"key": name, "label": strings.key(label or name), "value": value}] if value else []


def _rewards(card: CardDescription) -> Fields:
    if card.standing != Standing.ACTIVE:
        return _text("standing", words.standing(card, card.language))
    return [
        *_text("ready", _ready(card.ready, card.language) if card.ready else ""),
        *_text("next_reward", _next_reward(card.next_reward, card.language)),
    ]


def _back(card: CardDescription) -> Fields:
    program = card.program
    active = card.standing == Standing.ACTIVE
    how = "how_hybrid" if program.has_stamps and program.has_points else f"how_{program.loyalty_type}"
    return [
        *(_text("how", strings.key(how)) if active else []),
        *_text("back_next_reward", _next_reward(card.next_reward, card.language) if active else "", "next_reward"),
        *_text("points_expire", _day(card.points_expire_on, card.language)),
        *_text("ends", _day(card.ends_on, card.language)),
        *_text("places", "\n".join(", ".join(filter(None, (one.name, one.address))) for one in program.places)),
        *_link("card_page", card.card_url),
        *_text("card_number", card.card_number),
        *_text("terms", words.terms(program.terms, card.language, program.language)),
        *_link("website", program.website),
        *_link("privacy", program.privacy_url),
    ]


def _link(name: str, address: str) -> Fields:
    if not address:
        return []
    shown = escape(address)
    return [{**_text(name, address)[0], "attributedValue": f'<a href="{shown}">{shown}</a>'}]


def _barcode(card: CardDescription) -> dict[str, str]:
    encoding = LATIN if card.code.isascii() else "utf-8"
    code = {"format": "PKBarcodeFormatQR", "message": card.code, "messageEncoding": encoding}
    return {**code, "altText": card.card_number} if card.card_number else code


@lru_cache(maxsize=4096)
def _near(language: str, name: str) -> str:
    return f"{name}: {strings.texts(words.spoken(language))['nearby']}"


def _locations(places: tuple[Place, ...], language: str) -> list[dict[str, Any]]:
    return [
        {"latitude": place.latitude, "longitude": place.longitude, "relevantText": _near(language, place.name)}
        for place in places
        if place.latitude is not None and place.longitude is not None
    ][:MOST_PLACES]


def _actions(card: CardDescription) -> list[dict[str, str]]:
    """Return the tiles of iOS 27; older phones pass over them. Apple takes addresses of the public web only."""
    wanted = [("rewards", "viewOffersRewards", card.card_url), ("shop", "shop", card.program.website)]
    return [
        {"identifier": name, "type": kind, "url": address}
        for name, kind, address in wanted
        if urlsplit(address).scheme == "https"
    ]


# The same few sentences stand on most cards of a program.
@lru_cache(maxsize=1024)
def _description(program: str, merchant: str, language: str) -> str:
    return words.description(program, merchant, language)


@lru_cache(maxsize=4096)
def _next_reward(goal: NextReward | None, language: str) -> str:
    return words.next_reward(goal, language)


@lru_cache(maxsize=1024)
def _ready(names: tuple[str, ...], language: str) -> str:
    return words.ready(names, language)


@lru_cache(maxsize=1024)
def _day(day: date | None, language: str) -> str:
    return words.day(day, language)
