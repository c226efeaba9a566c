"""Test data of stores, staff, terminals and keys."""

from typing import Any

import factory
from django.utils import timezone

from core import tenancy
from stores.models import ApiKey, StaffPin, StaffPinStore, Store, Terminal
from stores.rules import tokens
from stores.services import pin_hashing
from tests.factories.merchants import TenantFactory

EVERYTHING = ("read", "earn", "redeem", "manage")


class StoreFactory(TenantFactory):
    """A store of a merchant."""

    class Meta:
        model = Store

    code = factory.Sequence(lambda number: f"store-{number}")
    name = factory.Sequence(lambda number: f"Store {number}")


class StaffPinFactory(TenantFactory):
    """A staff member with the PIN `pin`; `stores` limits them to some stores."""

    class Meta:
        model = StaffPin

    name = factory.Sequence(lambda number: f"Anna {number}")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> StaffPin:
        pin, stores = kwargs.pop("pin", "482193"), kwargs.pop("stores", None)
        hashed = pin_hashing.make(kwargs["merchant"].pk, pin)
        row: StaffPin = super()._create(
            model_class, *args, pin_hash=hashed.pin_hash, pin_bucket=hashed.pin_bucket, pepper_id=hashed.pepper_id,
            pin_digits=len(pin), all_stores=stores is None, **kwargs,
        )  # fmt: skip
        with tenancy.scope(row.merchant_id):
            for store in stores or ():
                StaffPinStore.objects.create(staff_pin=row, store=store)
        return row


class TerminalFactory(TenantFactory):
    """A paired device; its cookie's value is in `token`."""

    class Meta:
        model = Terminal

    name = "Till 1"
    store = factory.SubFactory(StoreFactory, merchant=factory.SelfAttribute("..merchant"))
    paired_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Terminal:
        token = tokens.new_terminal_token()
        row: Terminal = super()._create(
            model_class, *args, token_prefix=token.prefix, token_hash=token.hash, **kwargs
        )  # fmt: skip
        row.token = token.text  # type: ignore[attr-defined]
        return row


class ApiKeyFactory(TenantFactory):
    """An API key with every scope; its text is in `text`."""

    class Meta:
        model = ApiKey

    name = "POS"
    scopes = factory.LazyFunction(lambda: list(EVERYTHING))

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> ApiKey:
        token = tokens.new_api_key()
        row: ApiKey = super()._create(model_class, *args, prefix=token.prefix, key_hash=token.hash, **kwargs)
        row.text = token.text  # type: ignore[attr-defined]
        return row
