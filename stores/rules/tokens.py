"""Tokens of terminals and API keys, and pairing codes: their form, and the hash that is all we keep."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from django.conf import settings

PREFIX_LENGTH = 8
SECRET_BYTES = 32
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
# Read aloud and typed by hand: no letter that looks or sounds like another sign.
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
CODE_LENGTH = 8
_API_KEY = re.compile(r"lk_([a-z0-9]{8})_([A-Za-z0-9_-]{32,64})")
_TERMINAL = re.compile(r"([a-z0-9]{8})\.([A-Za-z0-9_-]{32,64})")


@dataclass(frozen=True, slots=True)
class Token:
    """A secret in full (shown or set once), the prefix it is found by and the hash it is checked by."""

    text: str
    prefix: str
    hash: str


def new_api_key() -> Token:
    """Make an API key: `lk_<8 letters>_<secret>`."""
    prefix = _prefix()
    text = f"lk_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return Token(text, prefix, _hash(text))


def read_api_key(text: str) -> Token | None:
    """Return the parts of what may be an API key, None when it has another form."""
    found = _API_KEY.fullmatch(text)
    return Token(text, found[1], _hash(text)) if found else None


def new_terminal_token() -> Token:
    """Make the token that a paired terminal keeps in its cookie."""
    prefix = _prefix()
    text = f"{prefix}.{secrets.token_urlsafe(SECRET_BYTES)}"
    return Token(text, prefix, _hash(text))


def read_terminal_token(text: str) -> Token | None:
    """Return the parts of what may be a terminal's token, None when it has another form."""
    found = _TERMINAL.fullmatch(text)
    return Token(text, found[1], _hash(text)) if found else None


def new_pairing_code() -> str:
    """Make a pairing code of eight letters and digits."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(CODE_LENGTH))


def clean_pairing_code(text: str) -> str:
    """Return a typed code as it was made: capitals, without spaces and hyphens."""
    return re.sub(r"[\s-]", "", text[:64]).upper()


def hash_pairing_code(code: str) -> str:
    """Return the keyed hash of a pairing code; a plain one of 39 bits could be searched in a stolen dump."""
    return hmac.new(settings.SECRET_KEY.encode(), b"pairing" + code.encode(), hashlib.sha256).hexdigest()


def _prefix() -> str:
    return "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(PREFIX_LENGTH))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
