"""The rules of a program, in the words of a shop."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import money
from dashboard.forms import sentences
from dashboard.forms.base import Form, numeric, typed
from dashboard.forms.sentences import Line
from loyalty.enums import FullCard, LoyaltyType, Rounding, Shortfall
from loyalty.models import Program
from loyalty.rules import programs as rules
from loyalty.rules.programs import MAX_POINTS
from loyalty.services.programs import RUN_OFF

STAMP_FIELDS = (
    "stamps_target", "stamps_reward_description", "stamps_reward_valid_days", "full_card", "cooldown_minutes",
    "max_daily_stamps",
)  # fmt: skip
POINT_FIELDS = (
    "points", "per_amount", "rounding", "welcome_bonus_points", "minimum_purchase", "minimum_redemption_points",
    "points_expiration_days", "refund_shortfall",
)  # fmt: skip
# What the API and the services call a field that has a friendlier face here.
FACES = {"points_per_euro": "points", "minimum_purchase_cents": "minimum_purchase"}


class MoneyField(forms.CharField):
    """An amount in the merchant's currency; its value is in minor units."""

    def __init__(self, *, currency: str = "EUR", **kwargs: Any) -> None:
        self.currency = currency
        kwargs.setdefault("widget", typed(inputmode="decimal"))
        super().__init__(max_length=16, **kwargs)

    def clean(self, value: Any) -> int:
        """Return minor units; nothing typed is 0."""
        text = super().clean(value)
        try:
            return money.parse(text or "0", self.currency)
        except ValueError:
            raise forms.ValidationError(_("Write an amount, such as 5 or 4.50."), code="amount") from None

    def prepare_value(self, value: Any) -> Any:
        """Write minor units as people write an amount."""
        if isinstance(value, int):
            return str(Decimal(value).scaleb(-money.exponent(self.currency)))
        return value


class WholeNumber(forms.IntegerField):
    """A whole number with a number pad on phones."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", numeric())
        super().__init__(**kwargs)


def limited(name: str, **kwargs: Any) -> WholeNumber:
    """Return the field of a program's number with its limits."""
    low, high = rules.LIMITS[name]
    return WholeNumber(min_value=low, max_value=high, **kwargs)


class ProgramForm(Form):
    """All rules of a program; a program that counts stamps alone has no fields for points, and the other way round."""

    faces: ClassVar[dict[str, str]] = FACES

    name = forms.CharField(label=_("Name of the card"), max_length=80, widget=typed())
    stamps_target = limited("stamps_target", label=_("Stamps for a full card"))
    stamps_reward_description = forms.CharField(
        label=_("Then they get"), max_length=120, help_text=_("Such as “Free coffee”."), widget=typed()
    )
    stamps_reward_valid_days = limited(
        "stamps_reward_valid_days",
        label=_("Days to collect the reward"),
        required=False,
        help_text=_("Empty: it never expires."),
    )
    full_card = forms.ChoiceField(label=_("When a card is full"), choices=FullCard.choices, widget=forms.RadioSelect)
    cooldown_minutes = limited(
        "cooldown_minutes",
        label=_("Minutes between two stamps"),
        help_text=_("Keeps a card from being stamped twice for one visit. 0 is off."),
    )
    max_daily_stamps = limited(
        "max_daily_stamps", label=_("Stamps a day at most"), help_text=_("For one card. 0 is off.")
    )
    points = WholeNumber(label=_("Points"), min_value=1, max_value=rules.MAX_RATE_TERM)
    per_amount = forms.DecimalField(
        label=_("For every … spent"), max_digits=8, decimal_places=2, widget=typed(inputmode="decimal")
    )  # fmt: skip
    rounding = forms.ChoiceField(
        label=_("What is over after a purchase"), choices=Rounding.choices, widget=forms.RadioSelect
    )  # fmt: skip
    welcome_bonus_points = limited(
        "welcome_bonus_points",
        label=_("Welcome bonus in points"),
        help_text=_("Comes with the first purchase, once for each person. 0 is none."),
    )
    minimum_purchase = MoneyField(
        label=_("Smallest purchase that earns points"), required=False, help_text=_("0: every purchase does.")
    )
    minimum_redemption_points = limited(
        "minimum_redemption_points", label=_("Points needed before the first reward")
    )  # fmt: skip
    points_expiration_days = limited(
        "points_expiration_days", label=_("Points expire after … days without a visit"), help_text=_("0: never.")
    )
    refund_shortfall = forms.ChoiceField(
        label=_("When a refund takes back more points than are left"),
        choices=Shortfall.choices,
        widget=forms.RadioSelect,
    )
    require_staff_pin = forms.BooleanField(label=_("Staff type their PIN at the till"), required=False)
    void_window_minutes = limited("void_window_minutes", label=_("Minutes in which staff can undo"))

    def __init__(self, *args: Any, program: Program, pin_is_fixed: bool = False, **kwargs: Any) -> None:
        kwargs["initial"] = {**initial(program), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.program = program
        self.fields["minimum_purchase"].currency = program.currency  # type: ignore[attr-defined]
        self.fields["per_amount"].label = gettext("For every … %(currency)s spent") % {"currency": program.currency}
        self.fields["per_amount"].validators += [
            MinValueValidator(Decimal("0.01"), _("Write an amount above 0.")),
            MaxValueValidator(100_000, _("Write an amount up to 100000.")),
        ]
        if not program.has_stamps:
            self._drop(STAMP_FIELDS)
        if not program.has_points:
            self._drop(POINT_FIELDS)
        if pin_is_fixed:
            self._drop(("require_staff_pin",))

    def _drop(self, names: tuple[str, ...]) -> None:
        for name in names:
            del self.fields[name]

    def group(self, *names: str) -> list[Line]:
        """Return those of the named fields that this program has, as sentences."""
        found = [self[name] for name in names if name in self.fields]
        return [sentences.line(field, currency=self.program.currency) for field in found]

    @property
    def stamps(self) -> list[Line]:
        """What a full card is."""
        return self.group("stamps_target", "stamps_reward_description", "stamps_reward_valid_days", "full_card")

    @property
    def rate(self) -> list[Line]:
        """What points are given for."""
        return self.group(
            "points", "per_amount", "rounding", "welcome_bonus_points", "minimum_purchase",
            "minimum_redemption_points", "points_expiration_days", "refund_shortfall",
        )  # fmt: skip

    @property
    def fair(self) -> list[Line]:
        """What keeps it fair."""
        return self.group("cooldown_minutes", "max_daily_stamps", "require_staff_pin", "void_window_minutes")

    def changes(self) -> dict[str, Any]:
        """Return what differs from the program, by the names of the services."""
        wanted = values(self.cleaned_data)
        before = current(self.program)
        return {name: value for name, value in wanted.items() if before.get(name) != value}


class EndForm(Form):
    """The last day of a program that ends: until then rewards are handed out."""

    ends_on = forms.DateField(
        label=_("Last day to redeem"),
        required=False,
        help_text=_("Customers see it on their card. Empty: 30 days from today."),
    )

    def __init__(self, *args: Any, program: Program, today: date, **kwargs: Any) -> None:
        planned = program.ends_on if program.ends_on and program.ends_on >= today else today + RUN_OFF
        kwargs["initial"] = {"ends_on": planned}
        super().__init__(*args, **kwargs)
        self.fields["ends_on"].widget = forms.DateInput(
            format="%Y-%m-%d", attrs={"type": "date", "min": today.isoformat(), "autocomplete": "off"}
        )

    def last_day(self) -> dict[str, str]:
        """Return the day by the name of the service, nothing when none was chosen."""
        day = self.cleaned_data.get("ends_on")
        return {"ends_on": day.isoformat()} if day else {}


class KindForm(Form):
    """The first step: what is collected, how much, what for; the rest has good defaults."""

    faces: ClassVar[dict[str, str]] = {"points_per_euro": "points", "points_cost": "reward_points"}

    name = forms.CharField(label=_("Name of the card"), max_length=80, widget=typed())
    stamps_target = limited("stamps_target", label=_("Stamps for a full card"))
    stamps_reward_description = forms.CharField(label=_("Then they get"), max_length=120, widget=typed())
    points = WholeNumber(label=_("Points for every 1 spent"), min_value=1, max_value=1000)
    reward_points = WholeNumber(label=_("First reward at"), min_value=1, max_value=MAX_POINTS)
    reward_name = forms.CharField(label=_("The reward"), max_length=80, widget=typed())

    def __init__(self, *args: Any, loyalty_type: str, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loyalty_type = loyalty_type
        self.fields["points"].label = gettext("Points for each %(currency)s spent") % {"currency": currency}
        self.fields["reward_points"].label = gettext("Points for the first reward")
        if loyalty_type == LoyaltyType.POINTS:
            del self.fields["stamps_target"], self.fields["stamps_reward_description"]
        if loyalty_type == LoyaltyType.STAMPS:
            del self.fields["points"], self.fields["reward_points"], self.fields["reward_name"]

    def rules(self) -> dict[str, Any]:
        """Return the program's fields by the names of the services."""
        data = self.cleaned_data
        rules = {"name": data["name"], "loyalty_type": self.loyalty_type}
        if "points" in data:
            rules["points_per_euro"] = str(data["points"])
        for name in ("stamps_target", "stamps_reward_description"):
            if name in data:
                rules[name] = data[name]
        return rules

    def reward(self) -> dict[str, Any] | None:
        """Return the first reward that points buy, None where points are not counted."""
        if "reward_name" not in self.cleaned_data:
            return None
        return {"name": self.cleaned_data["reward_name"], "points_cost": self.cleaned_data["reward_points"]}


def initial(program: Program) -> dict[str, Any]:
    """Return a program's rules as the form shows them."""
    plain = (
        "name", "stamps_target", "stamps_reward_description", "stamps_reward_valid_days", "full_card",
        "cooldown_minutes", "max_daily_stamps", "rounding", "welcome_bonus_points", "minimum_redemption_points",
        "points_expiration_days", "refund_shortfall", "require_staff_pin", "void_window_minutes",
    )  # fmt: skip
    shown = {name: getattr(program, name) for name in plain}
    shown["minimum_purchase"] = program.minimum_purchase_cents
    shown["points"], shown["per_amount"] = _rate_shown(program.points_per_euro_num, program.points_per_euro_den)
    return shown


def current(program: Program) -> dict[str, Any]:
    """Return a program's rules by the names of the services, to compare with."""
    return values({**initial(program), "per_amount": Decimal(initial(program)["per_amount"])})


def values(data: dict[str, Any]) -> dict[str, Any]:
    """Translate what the form holds into the names of the services."""
    found = {name: value for name, value in data.items() if name not in ("points", "per_amount", "minimum_purchase")}
    if "minimum_purchase" in data:
        found["minimum_purchase_cents"] = data["minimum_purchase"]
    if data.get("points") and data.get("per_amount"):
        rate = Fraction(data["points"]) / Fraction(data["per_amount"])
        found["points_per_euro"] = (
            f"{rate.numerator}/{rate.denominator}" if rate.denominator > 1 else str(rate.numerator)
        )
    return found


def _rate_shown(num: int, den: int) -> tuple[int, str]:
    """Return a rate as points and amount: 1/50 is 1 point for every 50, 5/2 is 5 points for every 2."""
    return num, str(den)


class RewardForm(Form):
    """A reward that points buy."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Such as “Tote bag”."), widget=typed())
    points_cost = WholeNumber(label=_("Points"), min_value=1, max_value=MAX_POINTS)
    description = forms.CharField(
        label=_("Description"),
        max_length=300,
        required=False,
        help_text=_("What exactly, and what it does not include."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )
