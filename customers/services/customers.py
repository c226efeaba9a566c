"""Making and confirming customers of one merchant. A card needs no personal data, so every field may be empty."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import ValidationFailed
from customers.models import Customer
from customers.queries import birthdays, keys
from customers.queries.birthdays import Birthday

LANGUAGE_ALIASES = {"lu": "lb"}
Problem = tuple[str, str | Promise]


@dataclass(frozen=True, slots=True)
class Contact:
    """What a customer told about themselves, checked and in the form in which it is stored."""

    name: str = ""
    email: str = ""
    phone: str = ""
    birthday: Birthday | None = None
    language: str = ""

    @property
    def email_key(self) -> str:
        """The form by which the address is found."""
        return keys.email_key(self.email)


def read_contact(
    *, name: str = "", email: str = "", phone: str = "", birthday: str = "", language: str = "",
    country: str, today: date | None = None,
) -> Contact:  # fmt: skip
    """Check what was typed; raises ValidationFailed naming every field that cannot be read.

    It looks at the words alone, never at who is known: the answer is the same for a known and an unknown address.
    country: where a number without a prefix is dialled. today: a birthday is not after it.
    """
    errors: dict[str, list[Problem]] = {}
    contact = Contact(
        name=_read_name(name, errors),
        email=_read_email(email, errors),
        phone=_read_phone(phone, country, errors),
        birthday=_read_birthday(birthday, today or date.max, errors),
        language=_read_language(language, errors),
    )
    if errors:
        raise ValidationFailed(errors)
    return contact


def create(*, merchant_id: UUID, contact: Contact, default_language: str) -> Customer:
    """Make a customer record; an address counts as proven only after `confirm`."""
    with tenancy.scope(merchant_id):
        return Customer.objects.create(
            name=contact.name, email=contact.email, phone=contact.phone,
            name_key=keys.name_key(contact.name), email_key=contact.email_key, phone_key=contact.phone,
            birth_day=contact.birthday and contact.birthday.day,
            birth_month=contact.birthday and contact.birthday.month,
            birth_year=contact.birthday and contact.birthday.year,
            language=contact.language or default_language,
        )  # fmt: skip


def confirm(*, merchant_id: UUID, customer_id: UUID, at: datetime) -> bool:
    """Note that the customer proved the address; False when another customer proved the same one before.

    The unique constraint on confirmed addresses decides between two who prove it at the same moment.
    """
    with tenancy.scope(merchant_id):
        unproven = Customer.objects.filter(pk=customer_id, confirmed_at__isnull=True, erased_at__isnull=True)
        try:
            with transaction.atomic():
                unproven.update(confirmed_at=at)
        except IntegrityError:
            return False
        return True


def _read_name(text: str, errors: dict[str, list[Problem]]) -> str:
    name = keys.clean_text(text)
    if len(name) > keys.MAX_NAME:
        errors["name"] = [("max_length", _("A name has at most 80 characters."))]
    return name


def _read_email(text: str, errors: dict[str, list[Problem]]) -> str:
    # One mailbox, one spelling: a look-alike of a proven address must not be written to as if it were that address.
    email = unicodedata.normalize("NFKC", text.strip())
    if not email:
        return ""
    try:
        validate_email(email)
        too_long = len(email) > keys.MAX_EMAIL or len(keys.email_key(email)) > keys.MAX_EMAIL
    except ValidationError:
        too_long = True
    if too_long:
        errors["email"] = [("invalid", _("Write an e-mail address such as marie@example.com."))]
    return email


def _read_phone(text: str, country: str, errors: dict[str, list[Problem]]) -> str:
    if not text.strip():
        return ""
    try:
        return keys.phone_key(text, country)
    except ValueError:
        errors["phone"] = [("invalid", _("Write a phone number such as +352 621 123 456."))]
        return ""


def _read_birthday(text: str, today: date, errors: dict[str, list[Problem]]) -> Birthday | None:
    if not text.strip():
        return None
    try:
        return birthdays.parse(text, today)
    except ValueError:
        errors["birthday"] = [("invalid", _("Write month and day as 03-21, or the whole date as 1956-03-21."))]
        return None


def _read_language(code: str, errors: dict[str, list[Problem]]) -> str:
    base = code.strip().lower().replace("_", "-").split("-")[0]
    base = LANGUAGE_ALIASES.get(base, base)
    if base and base not in dict(settings.LANGUAGES):
        errors["language"] = [("invalid_choice", _("Choose en, fr, de or lb."))]
        return ""
    return base
