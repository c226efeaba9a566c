"""Values that are to be stored, held against the model's own rules; refusals name the field."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import ValidationFailed
from merchants.rules import colours, countries


def check(row: models.Model, names: Collection[str]) -> None:
    """Raise ValidationFailed for the named fields of a row that is about to be saved."""
    others = [field.name for field in row._meta.fields if field.name not in names]
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        raise ValidationFailed(
            {
                name: [(problem.code or "invalid", " ".join(problem.messages)) for problem in problems]
                for name, problems in error.error_dict.items()
            }
        ) from error
    _check_places(row, names)
    hard = hard_to_read(getattr(row, "card_color", "")) if "card_color" in names else None
    if hard is not None:
        raise ValidationFailed.of("card_color", *hard)


def hard_to_read(colour: str) -> tuple[str, str] | None:
    """Return what is wrong with a colour on which neither white nor dark writing reads, and the shade next to it."""
    if colours.reads(colour):
        return None
    shade = colours.nearest(colour)
    return "contrast_too_low", gettext("Writing on this colour is hard to read. %(shade)s reads well.") % {
        "shade": shade
    }


def line(text: Any) -> Any:
    """Return a text in one line without white space at its ends; anything else as it is."""
    return " ".join(text.replace("\x00", "").split()) if isinstance(text, str) else text


def _check_places(row: models.Model, names: Collection[str]) -> None:
    zone = getattr(row, "time_zone", "") if "time_zone" in names else None
    if zone is not None and zone not in countries.zones():
        raise ValidationFailed.of("time_zone", "unknown_time_zone", _("Choose a time zone such as Europe/Luxembourg."))
    country = getattr(row, "country", "") if "country" in names else None
    if country is not None and country not in countries.countries():
        raise ValidationFailed.of("country", "unknown_country", _("Choose a country by its two letters, such as LU."))
    currency = getattr(row, "currency", "") if "currency" in names else None
    if currency is not None and currency not in countries.currencies():
        raise ValidationFailed.of("currency", "unknown_currency", _("Choose a currency by its code, such as EUR."))
