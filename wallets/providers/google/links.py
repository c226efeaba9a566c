"""Links that save a card to Google Wallet: a slim signed word that names an object which is already at Google.

Slim (pitfall 39): an object inside of the word would make it too long for mails, and values in it are not
taken over when the object exists. The word does not end, so it is made on demand for who holds the card.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from google.auth import jwt

from wallets.providers.errors import CannotRender
from wallets.providers.google.credentials import ServiceAccount

SAVE = "https://pay.google.com/gp/v/save/"
# Longer addresses are cut off by browsers and mail programs.
LONGEST = 1800


def claims(account: ServiceAccount, object_id: str, *, at: datetime) -> dict[str, Any]:
    """Return what the word says: who we are, since when, and which object."""
    return {
        "iss": account.email, "aud": "google", "typ": "savetowallet", "iat": int(at.timestamp()),
        "origins": [origin()], "payload": {"loyaltyObjects": [{"id": object_id}]},
    }  # fmt: skip


def save_url(account: ServiceAccount, object_id: str, *, at: datetime) -> str:
    """Return the address at Google that adds this object to the wallet of who opens it; raises CannotRender."""
    word = jwt.encode(account.signer, claims(account, object_id, at=at))  # type: ignore[no-untyped-call]
    url = f"{SAVE}{word.decode()}"
    if len(url) >= LONGEST:
        raise CannotRender(f"the save link has {len(url)} characters; {LONGEST - 1} arrive whole")
    return url


def origin() -> str:
    """Return where our buttons stand, as a browser names it."""
    address = urlsplit(settings.SITE_URL)
    return f"{address.scheme}://{address.netloc}"
