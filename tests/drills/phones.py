"""Cards of a shop in the wallets of the fakes' phone, and what they show."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.drills.stack import Shop, Stack
from tests.stack.shop import API, FakePhone, ask

TARGET = 50


@dataclass
class Held:
    """A card, which wallet it is in, and its place there."""

    card_id: str
    kind: str
    place: int


@dataclass
class Wallets:
    """The phone of `FAKES=1`, with cards of one shop."""

    stack: Stack
    shop: Shop
    held: list[Held] = field(default_factory=list)

    def __post_init__(self) -> None:
        address = self.stack.run()["environment"]["LOYALTY_GOOGLE_CALLBACK_KEYS_URL"]
        self.phone = FakePhone(address.rsplit("/", 2)[0])

    def add(self, kind: str) -> str:
        """Enrol somebody who adds the card to a wallet; returns the card's id."""
        made = enroll(self.shop)
        place = len(self.phone.cards(kind))
        self.phone.act("add", address=made["wallet"][f"{kind}_url"])
        card_id = str(made["card"]["id"])
        self.held.append(Held(card_id, kind, place))
        return card_id

    def behind(self, counts: dict[str, int]) -> list[str]:
        """Return the cards that do not show so many stamps."""
        found = []
        shown = {kind: self.phone.cards(kind) for kind in {one.kind for one in self.held}}
        for one in self.held:
            text = _stamps(shown[one.kind][one.place])
            if text != f"{counts[one.card_id]}/{TARGET}":
                found.append(f"{one.kind} shows {text}, given {counts[one.card_id]}")
        return found


def enroll(shop: Shop) -> dict[str, Any]:
    """Enrol a customer at the shop's own door."""
    body = {"store_code": shop.store_code, "language": "en"}
    made = ask(f"{shop.url}{API}/storefront/loyalty/enroll", body, Idempotency_Key=str(uuid4()))
    assert made.status == 201, made
    return made.body


def pair(shop: Shop) -> int:
    """Type a pairing code that is right at a new till; returns the status (302: paired)."""
    from tests.drills.wire import Browser

    made = shop.call("merchant/terminals", {"name": "Till", "store": shop.store_code})
    assert made.status == 201, made
    return Browser(shop.url).ask("POST", "/pair", [("code", made.body["code"])]).status_code


def _stamps(card: dict[str, Any]) -> str:
    if card["kind"] == "google":
        return str(card["object"].get("loyaltyPoints", {}).get("balance", {}).get("string", ""))
    places = card["pass"]["storeCard"].values()
    return next((str(one["value"]) for place in places for one in place if one["key"] == "stamps"), "")
