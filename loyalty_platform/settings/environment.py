"""Reads the environment, strictly: a value that is missing or cannot be understood stops the start and says which.

`fallbacks` holds what the development and test settings provide themselves; production leaves it empty.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR = BASE_DIR / "var"
SECRET_MINIMUM = 32

T = TypeVar("T")

env = environ.Env()
fallbacks: dict[str, str] = {}

if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")


def text(name: str, default: str = "") -> str:
    """Return a text; an empty variable counts as absent."""
    value = str(env.str(name, default="")).strip()
    return value or fallbacks.get(name, "") or default


def required(name: str, purpose: str) -> str:
    """Return a text that must be there; `purpose` tells the reader of the error what it is for."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"The environment variable {name} is missing: {purpose}.")
    return value


def secret(name: str, purpose: str) -> str:
    """Return a secret of at least 32 characters."""
    value = required(name, purpose)
    if len(value) < SECRET_MINIMUM:
        raise ImproperlyConfigured(f"The environment variable {name} must have at least {SECRET_MINIMUM} characters.")
    return value


def secrets(name: str, purpose: str) -> list[str]:
    """Return secrets separated by commas, the newest first; only the first is used for new values."""
    values = [part.strip() for part in required(name, purpose).split(",") if part.strip()]
    if not values or any(len(value) < SECRET_MINIMUM for value in values):
        raise ImproperlyConfigured(
            f"The environment variable {name} must be a list, separated by commas, of secrets with at least "
            f"{SECRET_MINIMUM} characters each."
        )
    return values


def fernet_keys(name: str, purpose: str) -> list[str]:
    """Return encryption keys separated by commas, the newest first."""
    values = secrets(name, purpose)
    for value in values:
        _understood(
            name, lambda value=value: Fernet(value), "a list of keys made by `openssl rand -base64 32 | tr +/ -_`"
        )
    return values


def number(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    """Return a whole number within bounds."""
    value = _understood(name, lambda: int(text(name, str(default))), "a whole number")
    if not minimum <= value <= maximum:
        raise ImproperlyConfigured(f"The environment variable {name} must lie between {minimum} and {maximum}.")
    return value


def fraction(name: str, default: str) -> Fraction:
    """Return a positive fraction, written as 10, 0.1 or 1/50."""
    value = _understood(name, lambda: Fraction(text(name, default)), "a number such as 10, 0.1 or 1/50")
    if value <= 0:
        raise ImproperlyConfigured(f"The environment variable {name} must be greater than 0.")
    return value


def flag(name: str, default: bool = False) -> bool:
    """Return yes or no, written as 1, true, yes, on or 0, false, no, off."""
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"The environment variable {name} must be 1 or 0.")


def names(name: str) -> list[str]:
    """Return a list separated by commas."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def web_address(name: str, default: str = "") -> str:
    """Return an http(s) address without a slash at its end."""
    value = text(name, default).rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"The environment variable {name} must be an address that begins with https://.")
    return value


def database(name: str, purpose: str) -> dict[str, Any]:
    """Return Django's settings for a PostgreSQL address, in any form that libpq understands."""
    url = required(name, purpose).replace("postgres://", "postgresql://", 1)
    return database_settings(_understood(name, lambda: conninfo_to_dict(url), "an address such as postgresql://…"))


def database_settings(parts: dict[str, Any]) -> dict[str, Any]:
    """Turn the parts of a PostgreSQL address into Django's settings."""
    rest = dict(parts)
    return {
        "NAME": rest.pop("dbname", "") or "loyalty",
        "USER": rest.pop("user", "") or "",
        "PASSWORD": rest.pop("password", "") or "",
        "HOST": rest.pop("host", "") or "",
        "PORT": str(rest.pop("port", "") or ""),
        # Statements are prepared from their third use on a connection: it halves what a stamp costs PostgreSQL. 0 is
        # never: a PgBouncer that gives each transaction another connection must know of it (max_prepared_statements).
        "OPTIONS": {
            "server_side_binding": True,
            "prepare_threshold": number("DATABASE_PREPARE_AFTER", 2, maximum=1000) or None,
            **rest,
        },
    }


def redis(name: str, purpose: str) -> tuple[str, str]:
    """Return the address of Redis for the cache and, written as Celery wants it, for the broker."""
    url = required(name, purpose)
    if url.startswith("redis+socket://"):
        url = url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=")
    if url.startswith("unix://"):
        return url, url.replace("unix://", "redis+socket://", 1).replace("db=", "virtual_host=")
    if url.startswith(("redis://", "rediss://")):
        return url, url
    raise ImproperlyConfigured(f"The environment variable {name} must begin with redis://, rediss:// or unix://.")


def email(name: str, purpose: str) -> dict[str, Any]:
    """Return Django's EMAIL_… settings for an address such as smtp+tls://user:password@host:587."""
    url = required(name, purpose)
    return dict(
        _understood(name, lambda: env.email_url_config(url), "an address such as smtp+tls://user:password@host")
    )


def _understood(name: str, parse: Callable[[], T], form: str) -> T:
    try:
        return parse()
    except (ValueError, ZeroDivisionError, KeyError, ProgrammingError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"The environment variable {name} must be {form}.") from error
