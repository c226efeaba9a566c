"""`manage.py create_api_key`."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import tenancy
from stores.models import ApiKey
from stores.queries import devices
from tests.factories.merchants import MerchantFactory
from tests.factories.stores import StoreFactory

pytestmark = pytest.mark.django_db


def run(**options: Any) -> str:
    out = StringIO()
    call_command("create_api_key", stdout=out, **options)
    return out.getvalue()


def test_it_prints_the_key_and_only_the_key() -> None:
    merchant = MerchantFactory()

    printed = run(merchant=merchant.slug, name="POS")

    assert printed.endswith("\n")
    assert printed.count("\n") == 1
    found = devices.api_key_credential(printed.strip())
    assert found is not None
    assert found.merchant_id == merchant.pk
    with tenancy.scope(merchant):
        assert ApiKey.objects.get().scopes == ["read", "earn", "redeem", "manage"]


def test_binds_to_a_store_and_limits_scopes() -> None:
    store = StoreFactory()

    run(merchant=store.merchant.slug, store=store.code, scopes="read, earn", name="Till")

    with tenancy.scope(store.merchant_id):
        key = ApiKey.objects.get()
    assert (key.store_id, key.scopes) == (store.pk, ["read", "earn"])


@pytest.mark.parametrize("options", [{"merchant": "nobody"}, {"store": "nowhere"}, {"scopes": "all"}, {"name": ""}])
def test_refuses_with_a_sentence(options: dict[str, str]) -> None:
    merchant = MerchantFactory()

    with pytest.raises(CommandError):
        run(**{"merchant": merchant.slug, "name": "POS", **options})

    with tenancy.scope(merchant):
        assert not ApiKey.objects.exists()


def test_refuses_another_merchants_store() -> None:
    merchant, foreign = MerchantFactory(), StoreFactory()

    with pytest.raises(CommandError):
        run(merchant=merchant.slug, store=foreign.code, name="POS")
