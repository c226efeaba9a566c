"""What stands on a card at Google: a class for all cards of a program, an object for each card."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from wallets.rules import words
from wallets.rules.description import LANGUAGES, MOST_PLACES, CardDescription, ProgramDescription, Standing

OFFICIAL_BASE = "https://walletobjects.googleapis.com"
CALLBACK_PATH = "/api/v1/loyalty/google/callback"
UNDER_REVIEW = "UNDER_REVIEW"
STATES = {Standing.ACTIVE: "ACTIVE", Standing.SUSPENDED: "INACTIVE", Standing.OVER: "EXPIRED"}
# Google shows about as many characters; the rest would be cut off at a place of the phone's choosing.
NAME, LABEL, SHORT_LABEL, HEADER, BODY, LINK = 20, 9, 15, 35, 500, 20
MOST_INT = 2**31 - 1
READY = "ready"
Text = dict[str, Any]
Body = dict[str, Any]


def class_body(program: ProgramDescription, *, class_id: str, logo: str) -> Body:
    """Return a program's class; logo: the permanent public address of its square picture."""
    language = program.language
    body: Body = {
        "id": class_id,
        "issuerName": shorten(program.merchant_name, NAME),
        "programName": shorten(program.name, NAME),
        "programLogo": _image(logo, program, language),
        "hexBackgroundColor": program.branding.color,
        "reviewStatus": UNDER_REVIEW,
        "multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES",
        **_labelled("accountNameLabel", "holder", language),
        **_labelled("accountIdLabel", "card_number", language),
        "textModulesData": _class_texts(program),
        "linksModuleData": _links(
            language, website=program.website, privacy=program.privacy_url
        ),
        "merchantLocations": _places(program),
    }  # fmt: skip
    if program.country:
        body["countryCode"] = program.country
    if callback := callback_url():
        body["callbackOptions"] = {"url": callback}
    return _without_empty(body)


def object_body(card: CardDescription, *, object_id: str, class_id: str, hero: str) -> Body:
    """Return a card's object; hero: the permanent public address of its banner, "" for none.

    A card that is over keeps its figures and loses the person, the code and every link.
    """
    over = card.standing is Standing.OVER
    body: Body = {
        "id": object_id,
        "classId": class_id,
        "state": STATES[card.standing],
        **_balances(card),
        "textModulesData": _object_texts(card),
    }
    if card.ends_at:
        body["validTimeInterval"] = {"end": {"date": card.ends_at}}
    if hero and not over:
        body["heroImage"] = _image(hero, card.program, card.language)
    if not over:
        body |= {
            "accountName": shorten(card.holder, NAME),
            "accountId": shorten(card.card_number, NAME),
            "barcode": _barcode(card),
            "linksModuleData": _links(card.language, card_page=card.card_url),
        }
    return _without_empty(body)


def callback_url() -> str:
    """Return where Google tells us of saves and removals; "" where it could not reach us."""
    reachable = settings.SITE_URL.startswith("https://") or settings.LOYALTY_GOOGLE_API_BASE != OFFICIAL_BASE
    return f"{settings.SITE_URL}{CALLBACK_PATH}" if reachable else ""


def ready_count(body: Mapping[str, Any]) -> int:
    """Return how many rewards an object says can be had now; its text's id bears the number."""
    for module in body.get("textModulesData", []):
        name, _, count = module.get("id", "").partition("_")
        if name == READY and count.isdecimal():
            return int(count)
    return 0


def shorten(text: str, most: int) -> str:
    """Return a text of at most so many characters, with an ellipsis where something was left out."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def localized(write: Callable[[str], str], language: str, most: int) -> Text:
    """Return Google's form of a text: in `language`, which holds where the phone's is not ours, and in the others."""
    values = {name: _cut(write(name), most) for name in (language, *LANGUAGES)}
    default = {"language": language, "value": values.pop(language)}
    return {
        "defaultValue": default,
        "translatedValues": [{"language": name, "value": value} for name, value in values.items() if value],
    }


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _label(key: str, language: str, most: int) -> Text:
    return localized(lambda name: words.texts(name)[key], language, most)


def _labelled(field: str, key: str, language: str) -> Body:
    """Return a label in its plain and its localised form."""
    text = _label(key, language, SHORT_LABEL)
    return {field: text["defaultValue"]["value"], f"localized{field[0].upper()}{field[1:]}": text}


def _balances(card: CardDescription) -> Body:
    """Return the figures: stamps first where they are counted, and points beside them or alone."""
    stamps, points = card.stamps is not None, card.points is not None
    found: Body = {}
    if stamps:
        found["loyaltyPoints"] = _figure("stamps", {"string": card.stamps_text}, card.language)
    if points:
        whole = card.points or 0
        balance = {"int": whole} if abs(whole) <= MOST_INT else {"string": card.points_text}
        name = "secondaryLoyaltyPoints" if stamps else "loyaltyPoints"
        found[name] = _figure("points", balance, card.language)
    return found


def _figure(key: str, balance: Body, language: str) -> Body:
    text = _label(key, language, LABEL)
    return {"label": text["defaultValue"]["value"], "localizedLabel": text, "balance": balance}


def _object_texts(card: CardDescription) -> list[Body]:
    # Google falls back to the class where an object has none, and never shows an empty one.
    texts: list[tuple[str, str, Callable[[str], str]]] = [
        ("standing", "standing", lambda language: words.standing(card, language)),
        (f"{READY}_{len(card.ready)}", "ready", lambda language: words.ready(card.ready, language)),
        ("next_reward", "next_reward", lambda language: words.next_reward(card.next_reward, language)),
        ("points_expire", "points_expire", lambda language: words.day(card.points_expire_on, language)),
        ("ends", "ends", lambda language: words.day(card.ends_on, language)),
    ]
    kept = texts[:1] if card.standing is Standing.OVER else texts
    return [_text(name, key, write, card.language) for name, key, write in kept if write(card.language)]


def _class_texts(program: ProgramDescription) -> list[Body]:
    language = program.language
    texts: list[tuple[str, Callable[[str], str]]] = [
        ("places", lambda _language: "\n".join(_place_line(place.name, place.address) for place in program.places)),
        ("terms", lambda spoken: words.terms(program.terms, spoken, language)),
    ]
    return [_text(key, key, write, language) for key, write in texts if write(language)]


def _place_line(name: str, address: str) -> str:
    return ", ".join(filter(None, (name, address)))


def _text(name: str, key: str, write: Callable[[str], str], language: str) -> Body:
    header, body = _label(key, language, HEADER), localized(write, language, BODY)
    return {
        "id": name,
        "header": header["defaultValue"]["value"],
        "localizedHeader": header,
        "body": body["defaultValue"]["value"],
        "localizedBody": body,
    }


def _links(language: str, **addresses: str) -> Body:
    found = []
    for key, address in addresses.items():
        if address:
            text = _label(key, language, LINK)
            plain = text["defaultValue"]["value"]
            found.append({"id": key, "uri": address, "description": plain, "localizedDescription": text})
    return {"uris": found} if found else {}


def _places(program: ProgramDescription) -> list[dict[str, float | None]]:
    located = [{"latitude": place.latitude, "longitude": place.longitude} for place in program.places]
    return [place for place in located if None not in place.values()][:MOST_PLACES]


def _barcode(card: CardDescription) -> Body:
    if not card.code:
        return {}
    return {"type": "QR_CODE", "value": card.code, "alternateText": card.card_number, "renderEncoding": "UTF_8"}


def _image(address: str, program: ProgramDescription, language: str) -> Body:
    described = localized(
        lambda name: words.description(program.name, program.merchant_name, name), language, BODY
    )  # fmt: skip
    return {"sourceUri": {"uri": address}, "contentDescription": described}


def _without_empty(body: Body) -> Body:
    return {key: value for key, value in body.items() if value not in ("", [], {})}
