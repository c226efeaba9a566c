"""How names, addresses and phone numbers are brought into the one form by which they are stored and found."""

import unicodedata

import phonenumbers

MAX_NAME = 80
MAX_EMAIL = 254
# Characters that change the direction of the text around them; in a name they would turn the till's screen around.
DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(text: str) -> str:
    """Return text without control and direction characters, with single spaces between its words."""
    kept = (" " if unicodedata.category(char) == "Cc" else char for char in text if char not in DIRECTION_MARKS)
    return " ".join("".join(kept).split())


def name_key(name: str) -> str:
    """Return the form by which a name is searched: NFKC, case folded, cut to the column."""
    folded = unicodedata.normalize("NFKC", clean_text(name)).casefold()
    return unicodedata.normalize("NFKC", folded)[:MAX_NAME]


def email_key(email: str) -> str:
    """Return the form by which an address is found: NFKC, lower case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email.strip()).lower())


def phone_key(phone: str, country: str) -> str:
    """Return a phone number as E.164, read as dialled in the country; raises ValueError on anything else."""
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        raise ValueError("not a phone number") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("not a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
