"""Template tags for the look: icons, stamps, codes, and money and dates in the reader's locale."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import qrcode
import qrcode.constants
from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision
from django import template
from django.conf import settings
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, to_locale

from core import pictures

register = template.Library()

TURN_FROM, TURN_TO = -12, 11
QUIET_ZONE = 4
# English as it is written on the continent: 24 hours, day before month, "23.40 €".
LOCALES = {"en": "en_150"}
# Fixed addresses that pages of every surface link to; error pages need them where nothing can be looked up.
ADDRESSES = {
    "signup": "/signup/",
    "shop": "/store/",
    "terms": "/legal/terms",
    "privacy": "/legal/privacy",
    "imprint": "/legal/imprint",
}
# What a phone's keyboard should be for a field, by the widget's input type.
INPUT_MODES = {"email": "email", "tel": "tel", "number": "numeric", "url": "url"}
CHOICE_TYPES = {"checkbox", "radio"}


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a stamp tray: its number from 1, what it shows and how far the mark is turned."""

    number: int
    filled: bool
    gift: bool
    fresh: bool
    turn: int


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code as one SVG path: ``size`` modules a side, quiet zone included."""

    path: str
    size: int


def _locale() -> Locale:
    """Return Babel's locale for the active language."""
    return _parsed(get_language() or "en")


@lru_cache(maxsize=32)
def _parsed(language: str) -> Locale:
    """Return the locale of a language; a page of figures asks for it some hundred times."""
    name = to_locale(language)
    return Locale.parse(LOCALES.get(name, name))


@register.simple_tag
def platform() -> str:
    """Return the product's name as the operator set it."""
    return str(getattr(settings, "PLATFORM_NAME", "Loyalty"))


@register.simple_tag
def address(page: str) -> str:
    """Return the address of one of the pages that everybody may be sent to."""
    return ADDRESSES[page]


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Return the icon ``name`` of our sprite; it is decoration, the word stands beside it."""
    return _icon(name, css, static("core/icons.svg"))


@lru_cache(maxsize=1024)
def _icon(name: str, css: str, sprite: str) -> SafeString:
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', css, sprite, name)


@register.simple_tag
def mark(css: str = "") -> SafeString:
    """Return the product's own mark, a ring with a tick."""
    return format_html(
        '<svg class="mark {}" viewBox="0 0 32 32" aria-hidden="true"><use href="{}#mark"/></svg>',
        css,
        static("core/icons.svg"),
    )


@register.filter
def rotation(seed: object, position: int) -> int:
    """Return the turn of one mark in degrees, −12…+11, the same at every load for a card and place."""
    digest = hashlib.sha256(f"{seed}/{position}".encode()).digest()
    return TURN_FROM + digest[0] % (TURN_TO - TURN_FROM + 1)


@register.simple_tag
def slots(count: int, target: int, seed: object = "", fresh: int = 0) -> list[Slot]:
    """Return the places of a tray with ``count`` of ``target`` stamps, the last ``fresh`` of them new."""
    return [
        Slot(
            number=number,
            filled=number <= count,
            gift=number == target and count < target,
            fresh=count - fresh < number <= count,
            turn=rotation(seed, number),
        )
        for number in range(1, max(target, 0) + 1)
    ]


@register.simple_tag
def qr_svg(data: str, level: str = "M") -> Code:
    """Return ``data`` as a QR code of error correction ``level`` M or Q with the quiet zone around it."""
    correction = {"M": qrcode.constants.ERROR_CORRECT_M, "Q": qrcode.constants.ERROR_CORRECT_Q}
    code = qrcode.QRCode(error_correction=correction[level], border=QUIET_ZONE)
    code.add_data(data)
    code.make(fit=True)
    rows = code.get_matrix()
    return Code(path="".join(_runs(rows)), size=len(rows))


def _runs(rows: list[list[bool]]) -> list[str]:
    """Return one path segment per horizontal run of dark modules."""
    segments = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                segments.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return segments


@register.filter
def small_picture(name: str | None) -> str:
    """Return the address of the small one beside a kept picture, "" where there is none."""
    return pictures.small_url(name or "")


@register.filter
def card_number(value: str) -> str:
    """Return a card number in groups of four, as people read it aloud."""
    return " ".join(value[at : at + 4] for at in range(0, len(value), 4))


@register.filter
def money(cents: int | None, currency: str = "EUR") -> str:
    """Return integer minor units as an amount in the reader's locale; nothing for None."""
    return "" if cents is None else _money(cents, currency, get_language() or "en")


# A page writes the same numbers again and again, and so does the next one.
@lru_cache(maxsize=8192)
def _money(cents: int, currency: str, language: str) -> str:
    amount = Decimal(cents).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale=_parsed(language))


@register.filter
def number(value: int | Decimal | None) -> str:
    """Return a number with the separators of the reader's locale; nothing for None."""
    return "" if value is None else _number(value, get_language() or "en")


@lru_cache(maxsize=8192)
def _number(value: int | Decimal, language: str) -> str:
    return format_decimal(value, locale=_parsed(language))


class Count(int):
    """A number that decides on the plural as it is, and is written with the separators of the reader's locale."""

    def __str__(self) -> str:
        return number(int(self))


@register.filter
def counted(value: int | None) -> Count:
    """Return a number for `{% blocktranslate count %}`, which would write it without separators; 0 for None."""
    return Count(value or 0)


@register.filter
def localdate(value: dt.datetime | dt.date | None, style: str = "medium") -> str:
    """Return a date in the reader's locale (``short``, ``medium``, ``long``, ``full``)."""
    if value is None:
        return ""
    day = timezone.localtime(value).date() if isinstance(value, dt.datetime) else value
    return _date(day, style, get_language() or "en")


@lru_cache(maxsize=4096)
def _date(day: dt.date, style: str, language: str) -> str:
    return format_date(day, style, locale=_parsed(language))


@register.filter
def clock(value: dt.datetime | None) -> str:
    """Return the time of day in the reader's locale, such as 14:17."""
    if value is None:
        return ""
    return format_time(timezone.localtime(value).time(), "short", locale=_locale())


@register.filter
def when(value: dt.datetime | None) -> str:
    """Return a moment as people say it: "today, 08:12", "yesterday, 12:40" or the day and the time."""
    if value is None:
        return ""
    day = timezone.localtime(value).date()
    today = timezone.localdate()
    if day == today:
        return gettext("today, %(time)s") % {"time": clock(value)}
    if day == today - dt.timedelta(days=1):
        return gettext("yesterday, %(time)s") % {"time": clock(value)}
    skeleton = "MMMEd" if day.year == today.year else "yMMMd"
    return gettext("%(day)s, %(time)s") % {
        "day": format_skeleton(skeleton, day, locale=_locale()),
        "time": clock(value),
    }


@register.filter
def input_type(field: BoundField) -> str:
    """Return the kind of control: text, email, …, textarea, select, checkbox, radio or checkboxes."""
    name = type(field.field.widget).__name__
    if name in {"RadioSelect", "CheckboxSelectMultiple"}:
        return "radio" if name == "RadioSelect" else "checkboxes"
    if hasattr(field.field.widget, "choices"):
        return "select"
    kind = getattr(field.field.widget, "input_type", None)
    return str(kind) if kind else "textarea"


@register.simple_tag
def control(
    field: BoundField, no_placeholder: bool = False, hint: str = "", no_hint: bool = False, inputmode: str = ""
) -> SafeString:
    """Return the field's own widget with our class and its hint or error tied to it."""
    own = field.field.widget.attrs
    kind = input_type(field)
    attrs: dict[str, str | bool] = {}
    if kind not in CHOICE_TYPES:
        attrs["class"] = " ".join(filter(None, [own.get("class"), "input"]))
    keyboard = inputmode or INPUT_MODES.get(kind)
    if keyboard and "inputmode" not in own:
        attrs["inputmode"] = keyboard
    if no_placeholder:
        attrs["placeholder"] = False
    if field.errors:
        attrs["aria-invalid"] = "true"
        attrs["aria-describedby"] = f"{field.auto_id}_error"
    elif hint or (field.help_text and not no_hint):
        attrs["aria-describedby"] = f"{field.auto_id}_helptext"
    return field.as_widget(attrs=attrs)
