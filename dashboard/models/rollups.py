"""Rollups: the ledger counted by business day. All of it can be counted again by `manage.py rebuild_rollups`.

A correction counts where the thing it corrects counts: a void or refund moves the day, store, hour and person of the
row that it reverses, never its own. Ids of cards, stores and people are plain: the ledger, from which the rows are
counted and whose keys are checked, vouches for them, and millions of keys need not be checked twice.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.tenancy import TenantScopedModel

HOURS = 24


class RollupModel(TenantScopedModel):
    """A row that was counted from one merchant's ledger."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(
        "merchants.Merchant", on_delete=models.DO_NOTHING, related_name="+", editable=False, db_index=False,
        db_constraint=False,
    )  # fmt: skip

    class Meta(TenantScopedModel.Meta):
        abstract = True


class DayFigures(RollupModel):
    """What happened on one business day, by program, store and staff member (null: no store, nobody's PIN).

    Stamps, rewards, sales and visits that were undone count for nothing. points_earned: of sales and welcome bonuses,
    net of voids; points_refunded is what refunds took of them. points_adjusted: adjustments and imports; points_moved:
    merges, which are neither earned nor spent. Over all rows of a merchant earned − refunded + adjusted + moved −
    redeemed − expired is the sum of its cards' balances. sales, sales_cents: sales that are worth something after
    their refunds, and that worth. A visit is an operation that gave something, or, on a day on which a card got nothing
    at a store, its first redemption there; visits_by_hour holds them by the hour of the store's clock.
    """

    program_id = models.UUIDField()
    store_id = models.UUIDField(null=True)
    staff_id = models.UUIDField(null=True)
    day = models.DateField()
    new_cards = models.IntegerField()
    visits = models.IntegerField()
    visits_by_hour = ArrayField(models.IntegerField(), size=HOURS)
    stamps_given = models.BigIntegerField()
    rewards_issued = models.IntegerField()
    rewards_expired = models.IntegerField()
    stamp_rewards_redeemed = models.IntegerField()
    points_rewards_redeemed = models.IntegerField()
    points_earned = models.BigIntegerField()
    points_refunded = models.BigIntegerField()
    points_adjusted = models.BigIntegerField()
    points_moved = models.BigIntegerField()
    points_redeemed = models.BigIntegerField()
    points_expired = models.BigIntegerField()
    sales = models.IntegerField()
    sales_cents = models.BigIntegerField()

    class Meta(RollupModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "day", "store_id", "program_id", "staff_id"], nulls_distinct=False,
                name="dashboard_dayfigures_once",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.day}"


class Presence(RollupModel):
    """A card was seen at a store on a business day. since: the business day on which the card was made."""

    card_id = models.UUIDField()
    store_id = models.UUIDField()
    day = models.DateField()
    since = models.DateField()
    visits = models.IntegerField()

    class Meta(RollupModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "day", "card_id", "store_id"], include=["since", "visits"],
                name="dashboard_presence_once",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.card_id} {self.day}"


class DayBalance(RollupModel):
    """What a business day moved on the cards of a program that were made in a store, and how many were made.

    The sum up to a day is what was outstanding at its end.
    """

    program_id = models.UUIDField()
    store_id = models.UUIDField()
    day = models.DateField()
    cards = models.IntegerField()
    stamps = models.BigIntegerField()
    points = models.BigIntegerField()
    debt = models.BigIntegerField()

    class Meta(RollupModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "day", "store_id", "program_id"], name="dashboard_daybalance_once"
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.day}"


class FirstReward(RollupModel):
    """A card's first reward that stands: on which business day, where, how many days after the card was made."""

    card_id = models.UUIDField()
    store_id = models.UUIDField(null=True)
    day = models.DateField()
    days = models.IntegerField()

    class Meta(RollupModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "card_id"], name="dashboard_firstreward_once")
        ]
        indexes: ClassVar = [models.Index(fields=["merchant", "day"], name="dashboard_firstreward_day")]

    def __str__(self) -> str:
        return f"{self.card_id} {self.day}"


class RollupState(RollupModel):
    """How far a merchant's rollups are.

    covered_until: what was recorded before is counted for certain; recent: how many rows since then are counted, too.
    version: is raised by every change; changes: which days they touched (see dashboard.queries.versions). zones: the
    clocks of the stores by which the hours were counted; when they change, everything is counted anew.
    """

    covered_until = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    version = models.BigIntegerField(default=1)
    changes = models.JSONField(default=list, db_default=[])
    recent = models.BigIntegerField(default=-1, db_default=-1)
    zones = models.JSONField(default=dict)

    class Meta(RollupModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant"], name="dashboard_rollupstate_once")]

    def __str__(self) -> str:
        return f"{self.covered_until}"
