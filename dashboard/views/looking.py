"""An administrator in a merchant's pages: with the merchant's consent, looking only, each page noted."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.middleware_admin import is_platform_staff, lacks_second_factor
from merchants.services import support

SAFE = ("GET", "HEAD")
# In the administrator's session: whom they look at, and why.
LOOK_KEY = "look"
# Whoever may run the platform's actions on merchants may look into one that consents.
RIGHT = "merchants.change_merchant"


class LooksOnly(DomainError):
    """An administrator wants to change something, or to take a file of customers away."""

    code = "looks_only"
    status = 403
    message = _("The business lets you look. To change things and to take customers' data away stays with its people.")


@dataclass(frozen=True, slots=True)
class Look:
    """A look that is going on."""

    merchant_id: UUID
    until: datetime


def remember(request: HttpRequest, merchant_id: UUID, reason: str) -> None:
    """Begin a look: the pages of this merchant open from now on, as long as its consent holds."""
    request.session[LOOK_KEY] = {"merchant": str(merchant_id), "reason": reason}


def forget(request: HttpRequest) -> None:
    """End the look."""
    request.session.pop(LOOK_KEY, None)


def looked_at(request: HttpRequest) -> UUID | None:
    """Return the merchant that an administrator is looking at, whether or not they still may."""
    kept = request.session.get(LOOK_KEY)
    if not kept or not may_look(request):
        return None
    return UUID(kept["merchant"])


def may_look(request: HttpRequest) -> bool:
    """Tell whether this is an administrator with the right to look, second factor and all."""
    return is_platform_staff(request) and not lacks_second_factor(request) and request.user.has_perm(RIGHT)


def begin(request: HttpRequest, merchant_id: UUID, *, open_to_looks: bool) -> Look | None:
    """Return the look that this request is part of, None for everybody else; notes it.

    Raises LooksOnly (not a read, or a page that is not for looks) and support.NoConsent (withdrawn, or its time is up).
    Called outside of any scope.
    """
    if looked_at(request) != merchant_id:
        return None
    if request.method not in SAFE or not open_to_looks:
        raise LooksOnly
    consent = support.look(
        merchant_id=merchant_id, page=request.path, reason=request.session[LOOK_KEY]["reason"], at=timezone.now(),
        actor_id=UUID(str(request.user.pk)),
    )  # fmt: skip
    return Look(merchant_id, consent.expires_at)


def read_only() -> None:
    """Let the database itself refuse what a look would write, to the end of the scope that is open."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")


def refused(request: HttpRequest, refusal: DomainError, merchant_id: UUID) -> HttpResponse:
    """Say why a page stays closed to an administrator, and where to go from there."""
    answer = render(
        request, "dashboard/look_refused.html", {"text": refusal.detail, "looked_at": merchant_id},
        status=refusal.status,
    )  # fmt: skip
    answer["Cache-Control"] = "no-store, private"
    return answer
