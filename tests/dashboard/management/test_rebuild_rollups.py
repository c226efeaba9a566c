"""`manage.py rebuild_rollups`."""

import io

import pytest
from django.core.management import CommandError, call_command

from core import tenancy
from dashboard.models import DayFigures
from merchants.models import Merchant
from tests.support.world import World

pytestmark = pytest.mark.django_db


def run(**options: object) -> str:
    out = io.StringIO()
    call_command("rebuild_rollups", stdout=out, **options)
    return out.getvalue()


def slug(world: World) -> str:
    with tenancy.scope(world.merchant_id):
        return Merchant.objects.get().slug


def counted(world: World) -> int:
    with tenancy.scope(world.merchant_id):
        return DayFigures.objects.count()


def test_it_works() -> None:
    world, other = World.make(), World.make()
    world.stamp(world.card())
    other.stamp(other.card())

    assert "2 merchants" in run()
    assert (counted(world), counted(other)) == (1, 1)
    assert "0 differences" in run(check=True)


def test_only_one_merchant() -> None:
    world, other = World.make(), World.make()
    world.stamp(world.card())
    other.stamp(other.card())

    run(merchant=slug(world))

    assert (counted(world), counted(other)) == (1, 0)


def test_check_prints_what_differs_and_changes_nothing() -> None:
    world = World.make()
    world.stamp(world.card())
    run()
    with tenancy.scope(world.merchant_id):
        DayFigures.objects.update(visits=7, day="2020-01-01")
    out = io.StringIO()

    with pytest.raises(CommandError, match="differences"):
        call_command("rebuild_rollups", check=True, stdout=out)

    assert "2020-01-01 figures: has wrongly" in out.getvalue()
    with tenancy.scope(world.merchant_id):
        assert DayFigures.objects.filter(day="2020-01-01").exists()


def test_nobodys_short_name() -> None:
    with pytest.raises(CommandError, match="no merchant"):
        run(merchant="nobody")
