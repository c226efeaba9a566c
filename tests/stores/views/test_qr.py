"""The image of a store's QR code."""

from io import BytesIO

import pytest
import qrcode
import qrcode.constants
from django.test import Client
from django.utils import timezone
from PIL import Image

from core import tenancy
from stores.models import Store
from stores.queries import addresses
from stores.views import qr
from tests.factories.stores import StoreFactory

pytestmark = pytest.mark.django_db


def test_it_works_for_anybody_and_may_be_kept() -> None:
    store = StoreFactory(code="cafe-gare")

    answer = Client().get("/qr/cafe-gare.png")

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert "public" in answer["Cache-Control"]
    image = Image.open(BytesIO(answer.content))
    assert image.format == "PNG"
    assert image.width == image.height >= 500
    assert answer.content == qr.png(addresses.enroll(store.code))
    assert not answer.cookies


def test_it_holds_the_address_of_its_store() -> None:
    """Module by module, as a code of that address has to be."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q)
    code.add_data(addresses.enroll("cafe-gare"))
    modules = code.get_matrix()

    image = Image.open(BytesIO(qr.png(addresses.enroll("cafe-gare")))).convert("L")

    assert image.width == len(modules) * qr.MODULE
    middles = [place * qr.MODULE + qr.MODULE // 2 for place in range(len(modules))]
    assert [[image.getpixel((x, y)) == 0 for x in middles] for y in middles] == modules


def test_a_closed_or_unknown_store_is_not_found() -> None:
    store = StoreFactory()
    with tenancy.scope(store.merchant_id):
        Store.objects.update(closed_at=timezone.now())

    for code in (store.code, "nobody", "x" * 300):
        assert Client().get(f"/qr/{code}.png").status_code == 404
    assert Client().post(f"/qr/{store.code}.png").status_code == 405
