"""Bodies that work at the customer's side of the API; those of the store's stand beside its routes."""

from typing import Any

from tests.support.house import PIN, House

FRONT = "api/v1/storefront/loyalty/"
# These are pages, too, which take forms.
PAGES = ("stamp/", "points/")
BODIES: dict[str, dict[str, Any]] = {
    f"POST {FRONT}enroll": {"store_code": "{store_code}", "email": "new@example.com", "name": "Paul"},
    f"PATCH {FRONT}profile": {
        "name": "Marie", "email": "new@example.com", "birthday": "02-29", "phone": "+352621123456",
    },
    f"POST {FRONT}consents": {"purpose": "marketing", "channel": "email", "granted": True},
    f"POST {FRONT}recover": {"store_code": "{store_code}", "email": "marie@example.com"},
    f"POST {FRONT}erase": {"confirm": True},
    "POST stamp/<str:store_code>": {"pass_id": "{card_id}", "staff_pin": PIN, "confirm": True},
    "POST points/<str:store_code>": {"pass_id": "{card_id}", "staff_pin": PIN, "amount": "5.00", "confirm": True},
}  # fmt: skip


def body_for(method: str, pattern: str, house: House) -> dict[str, Any] | None:
    """Return a body that works, about the things of a house; None where there is none."""
    body = BODIES.get(f"{method} {pattern}")
    if body is None:
        return None
    return {name: value.format(**house.ids) if isinstance(value, str) else value for name, value in body.items()}
