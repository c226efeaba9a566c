"""The report of a period as the API shows it."""

from typing import Any

from rest_framework import serializers

from dashboard.queries.analytics import Figures, Part, Report
from dashboard.queries.audiences import STEPS, Audience
from dashboard.queries.periods import Period

FIRST_REWARDS = ("cards", "average_days", "median_days")


class AnalyticsFiguresSerializer(serializers.Serializer):
    """What happened. What was undone counts for nothing; refunds are taken off the day of their sale."""

    visits = serializers.IntegerField()
    new_cards = serializers.IntegerField(help_text="Cards made.")
    stamps_given = serializers.IntegerField()
    rewards_issued = serializers.IntegerField(help_text="Rewards that became ready, and those bought with points.")
    rewards_redeemed = serializers.IntegerField()
    points_issued = serializers.IntegerField(help_text="Points given, less what refunds took back.")
    points_redeemed = serializers.IntegerField()
    points_expired = serializers.IntegerField()
    points_refunded = serializers.IntegerField()
    sales = serializers.IntegerField(help_text="Sales that are worth something after their refunds.")
    sales_cents = serializers.IntegerField(help_text="What they are worth after their refunds.")


class AnalyticsTotalsSerializer(AnalyticsFiguresSerializer):
    """What happened in a period, and who came. A customer is a card; a new one's was made in the period."""

    average_spend_cents = serializers.IntegerField(allow_null=True, help_text="A sale on average.")
    rewards_redemption_rate = serializers.FloatField(allow_null=True, help_text="Redeemed ÷ issued.")
    points_redemption_rate = serializers.FloatField(allow_null=True, help_text="Redeemed ÷ issued.")
    customers = serializers.IntegerField(help_text="Different customers who came.")
    new_customers = serializers.IntegerField()
    returning_customers = serializers.IntegerField()
    visits_per_customer = serializers.FloatField(allow_null=True)


class AnalyticsBeforeSerializer(AnalyticsTotalsSerializer):
    """The period of the same length before."""

    # `from` is a word of Python, so the fields of the two ends are declared by name.
    def get_fields(self) -> dict[str, Any]:
        """Put the two ends first."""
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}


class AnalyticsDaySerializer(AnalyticsFiguresSerializer):
    """One business day."""

    date = serializers.DateField()


class VisitFrequencySerializer(serializers.Serializer):
    """How many customers came so often; visits_to null: or more often."""

    visits_from = serializers.IntegerField()
    visits_to = serializers.IntegerField(allow_null=True)
    customers = serializers.IntegerField()


class LiabilityEstimateSerializer(serializers.Serializer):
    """An estimate in money: a point is worth 10 % of what is spent to earn it, a full card or ready reward one average
    sale of its programme. null: no sale has an amount to estimate from."""

    estimated = serializers.BooleanField()
    total_cents = serializers.IntegerField(allow_null=True)
    points_cents = serializers.IntegerField()
    stamps_cents = serializers.IntegerField(allow_null=True)
    rewards_cents = serializers.IntegerField(allow_null=True)


class OutstandingSerializer(serializers.Serializer):
    """What customers hold at the end of the period's last day."""

    on = serializers.DateField()
    stamps = serializers.IntegerField()
    points = serializers.IntegerField()
    points_debt = serializers.IntegerField()
    rewards = serializers.IntegerField(allow_null=True, help_text="Ready and not collected; null for one store.")
    liability = LiabilityEstimateSerializer()


class TimeToFirstRewardSerializer(serializers.Serializer):
    """Cards whose first reward fell into the period, and how many days after the card was made."""

    cards = serializers.IntegerField()
    average_days = serializers.FloatField(allow_null=True)
    median_days = serializers.FloatField(allow_null=True)


class AnalyticsByStoreSerializer(AnalyticsFiguresSerializer):
    """One store."""

    code = serializers.CharField()
    name = serializers.CharField()


class AnalyticsByStaffSerializer(AnalyticsFiguresSerializer):
    """One person; id and name null: without a PIN."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True)


class AnalyticsSerializer(serializers.Serializer):
    """The report. as_of: what was recorded before is counted."""

    store = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)
    members = serializers.IntegerField(help_text="Cards in use now.")
    active = serializers.IntegerField(help_text="Customers who came in the period.")
    totals = AnalyticsTotalsSerializer()
    previous = AnalyticsBeforeSerializer()
    by_day = AnalyticsDaySerializer(many=True)
    visits_by_hour = serializers.ListField(child=serializers.IntegerField(), min_length=24, max_length=24)
    visits_by_weekday = serializers.ListField(
        child=serializers.IntegerField(), min_length=7, max_length=7, help_text="Monday first."
    )
    visits_by_weekday_and_hour = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=24, max_length=24)
    )
    visit_frequency = VisitFrequencySerializer(many=True)
    lifetime_value_cents = serializers.IntegerField(
        allow_null=True, help_text="What a card brought in on average, from the first day to the last of the period."
    )
    outstanding = OutstandingSerializer()
    time_to_first_reward = TimeToFirstRewardSerializer()
    by_store = AnalyticsByStoreSerializer(many=True)
    by_staff = AnalyticsByStaffSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Put the period first."""
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}


def body(report: Report) -> dict[str, Any]:
    """Return the report in the shape of AnalyticsSerializer."""
    out = report.outstanding
    return {
        **_ends(report.period),
        "store": report.store.code if report.store else None,
        "currency": report.currency,
        "as_of": report.as_of,
        "members": report.members,
        "active": report.audience.customers,
        "totals": totals(report.figures, report.audience),
        "previous": {**_ends(report.period.before), **totals(report.before, report.audience_before)},
        "by_day": [{"date": day, **sums(figures)} for day, figures in report.by_day],
        "visits_by_hour": report.hours,
        "visits_by_weekday": [sum(hours) for hours in report.weekdays],
        "visits_by_weekday_and_hour": report.weekdays,
        "visit_frequency": [
            {"visits_from": low, "visits_to": high, "customers": count}
            for (low, high), count in zip(STEPS, report.audience.frequency, strict=True)
        ],
        "lifetime_value_cents": report.lifetime_value_cents,
        "outstanding": {
            "on": out.on, "stamps": out.stamps, "points": out.points, "points_debt": out.points_debt,
            "rewards": out.rewards,
            "liability": {
                "estimated": True, "total_cents": out.liability_cents, "points_cents": out.points_cents,
                "stamps_cents": out.stamps_cents, "rewards_cents": out.rewards_cents,
            },
        },
        "time_to_first_reward": {name: getattr(report.first_rewards, name) for name in FIRST_REWARDS},
        "by_store": [{"code": part.key, **_part(part)} for part in report.by_store],
        "by_staff": [{"id": part.key, **_part(part)} for part in report.by_staff],
    }  # fmt: skip


def sums(figures: Figures) -> dict[str, int]:
    """Return the figures by name."""
    return {name: getattr(figures, name) for name in figures.__dataclass_fields__}


def totals(figures: Figures, audience: Audience) -> dict[str, Any]:
    """Return the figures of a period with what follows from them."""
    return {
        **sums(figures),
        "average_spend_cents": figures.average_spend_cents,
        "rewards_redemption_rate": figures.rewards_redemption_rate,
        "points_redemption_rate": figures.points_redemption_rate,
        "customers": audience.customers,
        "new_customers": audience.new,
        "returning_customers": audience.returning,
        "visits_per_customer": audience.often(figures.visits),
    }


def _ends(period: Period) -> dict[str, Any]:
    return {"from": period.first, "to": period.last}


def _part(part: Part) -> dict[str, Any]:
    return {"name": part.name, **sums(part.figures)}
