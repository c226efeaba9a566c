"""/theme/<merchant>-<version>.css"""

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from merchants.models import Merchant
from merchants.services import merchants
from tests.factories.merchants import MerchantFactory

pytestmark = pytest.mark.django_db


def test_it_works_and_is_kept_for_ever(client: Client) -> None:
    merchant = MerchantFactory(card_color="#5A2D1A")

    response = client.get(f"/theme/{merchant.pk}-1.css")

    assert response.status_code == 200
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in response["Cache-Control"]
    assert "--merchant: #5A2D1A;" in response.content.decode()
    assert "--on-merchant: #FFFFFF;" in response.content.decode()


def test_a_version_that_is_not_the_current_one_is_kept_a_minute(client: Client) -> None:
    merchant = MerchantFactory()

    for version in (2, 999999):
        assert client.get(f"/theme/{merchant.pk}-{version}.css")["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize(
    "path", ["019ad7e2-0000-7000-8000-000000000000-1", "x-1", "1", "019ad7e2-0000-7000-8000-000000000000-x"]
)
def test_refuses_what_is_not_there(client: Client, path: str) -> None:
    assert client.get(f"/theme/{path}.css").status_code == 404


def test_a_new_colour_gets_a_new_version() -> None:
    merchant = MerchantFactory()

    merchants.update(merchant_id=merchant.pk, card_color="#112233", at=timezone.now())
    merchants.update(merchant_id=merchant.pk, legal_name="Café SARL", at=timezone.now())

    with tenancy.scope(merchant):
        assert Merchant.objects.get().branding_version == 2
