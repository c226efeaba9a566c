"""Which merchants a person works for."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from core import tenancy
from merchants.models import Membership


@dataclass(frozen=True, slots=True)
class Workplace:
    """A merchant and the person's role there."""

    merchant_id: UUID
    name: str
    slug: str
    role: str
    status: str
    onboarding_step: int


def workplaces(user_id: UUID) -> list[Workplace]:
    """Return the merchants a person works for, oldest membership first. Opens a scope for each."""
    found = []
    for (merchant_id,) in tenancy.lookup("merchants_of_user", user_id):
        with tenancy.scope(merchant_id):
            member = Membership.objects.select_related("merchant").filter(user_id=user_id, is_active=True).first()
        if member is not None:
            place = member.merchant
            found.append(
                Workplace(place.pk, place.name, place.slug, member.role, place.status, place.onboarding_step)
            )  # fmt: skip
    return found


def members() -> "QuerySet[Membership]":
    """Return the team of the scope's merchant, with the people."""
    return Membership.objects.filter(is_active=True).select_related("user")
