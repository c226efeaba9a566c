"""The cookie by which a customer's browser keeps a card: signed, out of reach of scripts, one per program."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

PREFIX = "card_"
SALT = "loyalty.card"
MAX_AGE = 400 * 24 * 3600
# UUIDv7 begins with the time, so programs of one minute begin alike: the random end tells them apart.
SHORT_ID = 12
MOST = 50


def name(program_id: UUID) -> str:
    """Return the cookie's name for a program."""
    return f"{PREFIX}{program_id.hex[-SHORT_ID:]}"


def read(request: HttpRequest, program_id: UUID) -> str | None:
    """Return the secret that the browser keeps for a program, None without a cookie that we signed."""
    return _read(request, name(program_id))


def read_all(request: HttpRequest) -> list[str]:
    """Return the secrets of all cards the browser keeps."""
    kept = [found for found in request.COOKIES if found.startswith(PREFIX)][:MOST]
    return [secret for secret in (_read(request, found) for found in kept) if secret]


def names_of(request: HttpRequest, secret: str) -> list[str]:
    """Return the names of the cookies in which the browser keeps a secret."""
    kept = [found for found in request.COOKIES if found.startswith(PREFIX)][:MOST]
    return [found for found in kept if _read(request, found) == secret]


def write(request: HttpRequest, response: HttpResponse, program_id: UUID, secret: str) -> None:
    """Keep a card in the browser, for 400 days from now (no browser keeps a cookie for longer)."""
    response.set_signed_cookie(
        name(program_id), secret, salt=SALT, max_age=MAX_AGE, httponly=True, samesite="Lax",
        secure=request.is_secure(), path="/",
    )  # fmt: skip


def forget(response: HttpResponse, program_id: UUID) -> None:
    """Remove a card from the browser."""
    response.delete_cookie(name(program_id), path="/", samesite="Lax")


def _read(request: HttpRequest, cookie: str) -> str | None:
    found = request.get_signed_cookie(cookie, default=None, salt=SALT, max_age=MAX_AGE)
    return str(found) if found else None
