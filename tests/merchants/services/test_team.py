"""The team: roles, and an owner who always stays."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from core import tenancy
from core.errors import DomainError, NotFound, PermissionDenied, ValidationFailed
from merchants.enums import Role
from merchants.models import Membership
from merchants.services import team
from merchants.services.team import LastOwner
from tests.factories.merchants import MembershipFactory, MerchantFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def make_team() -> tuple[Membership, Membership, Membership]:
    merchant = MerchantFactory()
    owner, manager, clerk = (
        MembershipFactory(merchant=merchant, role=role) for role in (Role.OWNER, Role.MANAGER, Role.STAFF)
    )
    return owner, manager, clerk


def change(member: Membership, role: str, actor: Membership) -> None:
    team.change_role(
        merchant_id=member.merchant_id, membership_id=member.pk, role=role, actor_id=actor.user_id, at=NOON
    )


def remove(member: Membership, actor: Membership) -> None:
    team.remove(merchant_id=actor.merchant_id, membership_id=member.pk, actor_id=actor.user_id, at=NOON)


def roles(member: Membership) -> list[str]:
    with tenancy.scope(member.merchant_id):
        return sorted(Membership.objects.filter(is_active=True).values_list("role", flat=True))


@pytest.mark.django_db
def test_it_works_for_an_owner() -> None:
    owner, manager, clerk = make_team()

    change(clerk, Role.MANAGER, owner)
    change(manager, Role.OWNER, owner)
    remove(clerk, owner)

    assert roles(owner) == ["owner", "owner"]


@pytest.mark.django_db
def test_a_manager_changes_others_but_no_owner() -> None:
    owner, manager, clerk = make_team()

    change(clerk, Role.MANAGER, manager)

    for refused in (
        lambda: change(owner, Role.STAFF, manager), lambda: change(manager, Role.OWNER, manager),
        lambda: remove(owner, manager),
    ):  # fmt: skip
        with pytest.raises(PermissionDenied):
            refused()
    assert roles(owner) == ["manager", "manager", "owner"]


@pytest.mark.django_db
def test_staff_change_nobody() -> None:
    _owner, manager, clerk = make_team()

    with pytest.raises(PermissionDenied):
        change(manager, Role.STAFF, clerk)
    with pytest.raises(PermissionDenied):
        remove(manager, clerk)


@pytest.mark.django_db
def test_the_last_owner_stays() -> None:
    owner, _manager, _clerk = make_team()

    with pytest.raises(LastOwner) as caught:
        change(owner, Role.MANAGER, owner)
    with pytest.raises(LastOwner):
        remove(owner, owner)

    assert (caught.value.code, caught.value.status) == ("last_owner", 409)
    assert roles(owner) == ["manager", "owner", "staff"]


@pytest.mark.django_db
def test_refuses_an_unknown_role_and_another_merchants_member() -> None:
    owner, manager, _clerk = make_team()
    foreign = MembershipFactory(role=Role.STAFF)

    with pytest.raises(ValidationFailed):
        change(manager, "boss", owner)
    with pytest.raises(NotFound):
        remove(foreign, owner)
    assert roles(foreign) == ["staff"]


def test_two_owners_who_remove_each_other_at_once_leave_one(real_db: Any) -> None:
    merchant = MerchantFactory()
    owners = [MembershipFactory(merchant=merchant) for _ in range(2)]
    barrier = Barrier(2)

    def run(number: int) -> str:
        try:
            barrier.wait()
            remove(owners[1 - number], owners[number])
        except DomainError as error:
            return error.code
        else:
            return "ok"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = Counter(pool.map(run, range(2)))

    assert outcomes["ok"] == 1
    assert roles(owners[0]) == ["owner"]
