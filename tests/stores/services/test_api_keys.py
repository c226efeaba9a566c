"""API keys: made, shown once, revoked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import tenancy
from core.errors import NotFound, ValidationFailed
from stores.models import ApiKey
from stores.queries import devices
from stores.services import api_keys
from tests.factories.merchants import MerchantFactory
from tests.factories.stores import ApiKeyFactory, StoreFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_it_works_and_keeps_the_hash_only() -> None:
    store = StoreFactory()

    made = api_keys.create(
        merchant_id=store.merchant_id, name="POS", scopes=["redeem", "read"], store_id=store.pk, at=NOON
    )

    assert made.text.startswith(f"lk_{made.api_key.prefix}_")
    assert made.api_key.scopes == ["read", "redeem"]
    found = devices.api_key_credential(made.text)
    assert found is not None
    assert (found.merchant_id, found.id) == (store.merchant_id, made.api_key.pk)
    with tenancy.scope(store.merchant_id):
        assert made.text.split("_", 2)[2] not in str(ApiKey.objects.values())


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"), ({"name": "x" * 61}, "name"), ({"scopes": []}, "scopes"),
        ({"scopes": ["all"]}, "scopes"),
        ({"expires_at": NOON}, "expires_at"), ({"expires_at": NOON - timedelta(days=1)}, "expires_at"),
    ],
)  # fmt: skip
def test_refuses_bad_values_by_field(values: dict[str, Any], field: str) -> None:
    merchant = MerchantFactory()

    with pytest.raises(ValidationFailed) as caught:
        api_keys.create(**{"merchant_id": merchant.pk, "name": "POS", "scopes": ["read"], "at": NOON, **values})

    assert list(caught.value.errors) == [field]
    with tenancy.scope(merchant):
        assert not ApiKey.objects.exists()


def test_refuses_another_merchants_store() -> None:
    with pytest.raises(NotFound):
        api_keys.create(
            merchant_id=MerchantFactory().pk, name="POS", scopes=["read"], store_id=StoreFactory().pk, at=NOON
        )


def test_revoking_ends_it_and_only_for_its_merchant() -> None:
    key = ApiKeyFactory()

    with pytest.raises(NotFound):
        api_keys.revoke(merchant_id=MerchantFactory().pk, api_key_id=key.pk, at=NOON)
    assert devices.api_key_credential(key.text) is not None

    api_keys.revoke(merchant_id=key.merchant_id, api_key_id=key.pk, at=NOON)

    assert devices.api_key_credential(key.text) is None
