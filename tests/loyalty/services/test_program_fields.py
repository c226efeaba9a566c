"""The fields of a program: each can be set alone, and whatever is wrong names its field and changes nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core import tenancy
from core.errors import ValidationFailed
from loyalty.models import Program
from loyalty.services import program_fields, programs
from tests.support.world import NOON, World


def update(world: World, **data: Any) -> programs.Changed:
    return programs.update(
        merchant_id=world.merchant_id, program_id=world.program.pk, data=data, user_id=world.owner.pk, at=NOON
    )


# One good value for each field that differs from the World's own.
ALONE: dict[str, Any] = {
    "name": "New name", "status": "paused", "loyalty_type": "points", "stamps_target": 50,
    "stamps_reward_description": "Tea", "stamps_reward_valid_days": 30, "full_card": "collect_first",
    "points_per_euro": Decimal("0.1"), "rounding": "per_purchase", "welcome_bonus_points": 100,
    "minimum_purchase_cents": 500, "minimum_redemption_points": 50, "points_expiration_days": 365,
    "cooldown_minutes": 10080, "max_daily_stamps": 1000, "require_staff_pin": True, "void_window_minutes": 0,
    "refund_shortfall": "settle_later", "card_color": "#5A2D1A", "terms": {"fr": "Valable partout."},
    "ends_on": date(2027, 1, 31),
}  # fmt: skip


def test_the_table_names_every_field() -> None:
    assert set(ALONE) == set(program_fields.FIELDS)


@pytest.mark.django_db
@pytest.mark.parametrize("field", list(ALONE))
def test_every_field_can_be_set_alone(field: str) -> None:
    world = World.make()

    changed = update(world, **{field: ALONE[field]})

    assert [effect.field for effect in changed.effects] == [field]
    with tenancy.scope(world.merchant_id):
        stored = Program.objects.get()
        assert program_fields.shown(stored)[field] == changed.effects[0].new
        assert stored.version == 2


@pytest.mark.django_db
def test_terms_as_plain_text_are_those_in_the_merchants_language() -> None:
    world = World.make()

    changed = update(world, terms="  Valable partout. ")

    assert changed.program.terms == {"fr": "Valable partout."}


BAD: list[tuple[str, Any, str]] = [
    ("name", "", "blank"), ("name", "   ", "blank"), ("name", "x" * 81, "max_length"), ("name", 5, "invalid"),
    ("name", None, "null"), ("name", "a\0b", "null_characters_not_allowed"), ("name", ["a"], "invalid"),
    ("status", "live", "invalid_choice"), ("status", True, "invalid_choice"), ("status", None, "null"),
    ("status", [], "invalid_choice"), ("status", {}, "invalid_choice"),
    ("loyalty_type", "coins", "invalid_choice"), ("full_card", "", "invalid_choice"),
    ("rounding", "up", "invalid_choice"), ("refund_shortfall", 1, "invalid_choice"),
    ("stamps_target", 0, "min_value"), ("stamps_target", 51, "max_value"), ("stamps_target", True, "invalid"),
    ("stamps_target", "10", "invalid"), ("stamps_target", 10.0, "invalid"),
    ("stamps_target", Decimal("9.5"), "invalid"),
    ("stamps_target", 2**70, "max_value"), ("stamps_target", -(2**70), "min_value"), ("stamps_target", None, "null"),
    ("stamps_reward_description", "", "blank"), ("stamps_reward_description", "x" * 121, "max_length"),
    ("stamps_reward_valid_days", 0, "min_value"), ("stamps_reward_valid_days", 3651, "max_value"),
    ("points_per_euro", 0, "invalid"), ("points_per_euro", -1, "invalid"), ("points_per_euro", "ten", "invalid"),
    ("points_per_euro", "1/0", "invalid"), ("points_per_euro", True, "invalid"), ("points_per_euro", None, "null"),
    ("points_per_euro", [1], "invalid"), ("points_per_euro", Decimal("1e50"), "invalid"),
    ("welcome_bonus_points", -1, "min_value"), ("welcome_bonus_points", 1_000_001, "max_value"),
    ("minimum_purchase_cents", -1, "min_value"), ("minimum_purchase_cents", 10**8 + 1, "max_value"),
    ("minimum_redemption_points", 2**31, "max_value"), ("points_expiration_days", 3651, "max_value"),
    ("cooldown_minutes", -1, "min_value"), ("cooldown_minutes", 10081, "max_value"),
    ("max_daily_stamps", 1001, "max_value"), ("max_daily_stamps", False, "invalid"),
    ("void_window_minutes", 1441, "max_value"), ("require_staff_pin", 1, "invalid"),
    ("require_staff_pin", "true", "invalid"), ("require_staff_pin", None, "null"),
    ("card_color", "red", "invalid"), ("card_color", "#12345", "invalid"), ("card_color", "#12345g", "invalid"),
    ("card_color", "#123456\n", "invalid"), ("card_color", 7, "invalid"),
    ("terms", {"it": "Ciao"}, "invalid"), ("terms", {"en": 5}, "invalid"), ("terms", [], "invalid"),
    ("terms", {"en": "x" * 5001}, "max_length"), ("terms", 5, "invalid"), ("terms", None, "null"),
    ("terms", {"en": "\0"}, "null_characters_not_allowed"),
    ("ends_on", "soon", "invalid"), ("ends_on", 20270131, "invalid"), ("ends_on", "2027-02-30", "invalid"),
    ("id", "x", "unknown_field"), ("version", 5, "unknown_field"), ("merchant_id", "x", "unknown_field"),
    ("currency", "USD", "unknown_field"), ("points_per_euro_num", 5, "unknown_field"), ("", 1, "unknown_field"),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "value", "code"), BAD)
def test_bad_input_names_the_field_and_changes_nothing(field: str, value: Any, code: str) -> None:
    world = World.make()

    with pytest.raises(ValidationFailed) as refusal:
        update(world, **{"void_window_minutes": 99, field: value})

    assert {name: problems[0][0] for name, problems in refusal.value.errors.items()} == {field: code}
    with tenancy.scope(world.merchant_id):
        assert Program.objects.get().version == 1
        assert Program.objects.get().void_window_minutes == 10


@pytest.mark.django_db
def test_all_bad_fields_are_named_at_once_and_before_the_state_of_the_store() -> None:
    world = World.make()

    with pytest.raises(ValidationFailed) as refusal:
        programs.create(
            merchant_id=world.merchant_id, store_id=world.store.pk, user_id=None, at=NOON,
            data={"stamps_target": 99, "colour": "red"},
        )  # fmt: skip

    assert {name: problems[0][0] for name, problems in refusal.value.errors.items()} == {
        "name": "required", "loyalty_type": "required", "stamps_target": "max_value", "colour": "unknown_field",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("data", [None, [], "text", 5, [{"name": "x"}]])
def test_what_is_not_an_object_is_refused(data: Any) -> None:
    world = World.make()

    with pytest.raises(ValidationFailed) as refusal:
        programs.update(merchant_id=world.merchant_id, program_id=world.program.pk, data=data, user_id=None, at=NOON)

    assert list(refusal.value.errors) == ["non_field_errors"]
