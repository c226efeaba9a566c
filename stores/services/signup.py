"""Sign-up: a person, their business and its first store, all or nothing, and nobody learns whose address is known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from core import tenancy
from core.ids import uuid7
from merchants.models import Merchant, User
from merchants.services import merchants
from stores.models import Store
from stores.services import stores


@dataclass(frozen=True, slots=True)
class Business:
    """A merchant with its first store."""

    merchant: Merchant
    store: Store


@dataclass(frozen=True, slots=True)
class SignUp:
    """What a sign-up made: nothing (None) when the address belongs to somebody already."""

    user: User | None
    business: Business | None


def sign_up(
    *, email: str, password: str, business_name: str, trade: str, country: str, language: str, at: datetime,
    store_name: str = "",
) -> SignUp:  # fmt: skip
    """Make a person and their business in one transaction.

    For a known address the same work is done and taken back, so that the time it takes tells nothing either; the
    caller shows the same page and writes to the address (merchants.views.accounts.after_sign_up). Raises
    ValidationFailed for a name, trade or country that cannot be, before anything is looked up.
    """
    address = email.strip().lower()
    hashed = make_password(password)
    merchant_id = uuid7()
    facts = {"business_name": business_name, "trade": trade, "country": country, "language": language}
    try:
        with tenancy.scope(merchant_id), transaction.atomic():
            known = User.objects.filter(email=address).exists()
            user = User(email=f"{merchant_id}@known.invalid" if known else address, language=language)
            user.password = hashed
            user.save(force_insert=True)
            business = _open(user, merchant_id, facts, store_name, at)
            if known:
                transaction.set_rollback(True)
    except IntegrityError as error:
        # Two sign-ups with one new address at once: the second one finds it known.
        if "email" not in str(error):
            raise
        known = True
    return SignUp(None, None) if known else SignUp(user, business)


def open_business(
    *, user: User, business_name: str, trade: str, country: str, language: str, at: datetime, store_name: str = ""
) -> Business:
    """Open a further business for somebody who is signed in. Raises ValidationFailed."""
    merchant_id = uuid7()
    facts = {"business_name": business_name, "trade": trade, "country": country, "language": language}
    with tenancy.scope(merchant_id):
        return _open(user, merchant_id, facts, store_name, at)


def _open(user: User, merchant_id: UUID, facts: dict[str, Any], store_name: str, at: datetime) -> Business:
    merchant = merchants.open_merchant(
        owner=user, name=facts["business_name"], trade=facts["trade"], country=facts["country"],
        language=facts["language"], at=at, merchant_id=merchant_id,
    )  # fmt: skip
    store = stores.open_store(
        merchant_id=merchant_id, name=store_name or facts["business_name"], at=at, actor_id=user.pk
    )  # fmt: skip
    return Business(merchant, store)
