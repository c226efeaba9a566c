"""The rules of a program in plain sentences, each with its value inside."""

from dataclasses import dataclass

from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# By the names of the form's fields; the review names them by their labels.
SENTENCES: dict[str, Promise] = {
    "stamps_target": _("A card is full after %(value)s stamps."),
    "stamps_reward_description": _("Then they get %(value)s"),
    "stamps_reward_valid_days": _("They have %(value)s days to collect it."),
    "points": _("Customers get %(value)s points"),
    "per_amount": _("for every %(value)s %(currency)s they spend."),
    "welcome_bonus_points": _("The first purchase brings %(value)s points as a welcome."),
    "minimum_purchase": _("Purchases under %(value)s %(currency)s earn nothing."),
    "minimum_redemption_points": _("Nobody redeems before %(value)s points."),
    "points_expiration_days": _("Points expire after %(value)s days without a visit."),
    "cooldown_minutes": _("One stamp every %(value)s minutes at most."),
    "max_daily_stamps": _("At most %(value)s stamps a day on one card."),
    "void_window_minutes": _("Staff can undo within %(value)s minutes."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A rule of the form: its field, and the sentence around it in two halves; none where it is no sentence."""

    field: BoundField
    before: str = ""
    after: str = ""

    @property
    def is_sentence(self) -> bool:
        """Whether the value stands inside a sentence."""
        return bool(self.before or self.after)


def line(field: BoundField, *, currency: str) -> Line:
    """Return a field with the sentence around it."""
    text = str(SENTENCES.get(field.name, "")).replace("%(currency)s", currency)
    before, _value, after = text.partition("%(value)s")
    return Line(field, before.strip(), after.strip())
