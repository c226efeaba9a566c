"""Tokens at rest: readable only with LOYALTY_DATA_KEYS. The first key seals, all of them open."""

import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

TOKEN_BYTES = 32


def new_token() -> str:
    """Return a new authentication token: 43 URL-safe characters, 256 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def seal(token: str) -> str:
    """Return a token encrypted with the newest key."""
    return _box(tuple(settings.LOYALTY_DATA_KEYS)).encrypt(token.encode()).decode()


def open_sealed(sealed: str) -> str:
    """Return a sealed token in clear; raises ValueError when none of the keys fits."""
    try:
        return _box(tuple(settings.LOYALTY_DATA_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ValueError("none of LOYALTY_DATA_KEYS opens this token") from error


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
