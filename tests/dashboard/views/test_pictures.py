"""The logo on the looks page and the picture on a reward's page: uploaded, refused, replaced, removed."""

from pathlib import Path
from typing import Any

import pytest

from core import images, tenancy
from merchants.models import Merchant
from tests.dashboard.conftest import Shop, reward
from tests.support import uploads


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def logo(shop: Shop) -> str:
    with tenancy.scope(shop.merchant_id):
        return Merchant.objects.get().logo.name


def places(shop: Shop) -> list[tuple[str, str]]:
    """Return the pages with a picture, and where each is sent to."""
    of_reward = shop.page(f"rewards/{shop.ids['reward_id']}")
    return [(shop.page("branding"), shop.page("branding/logo")), (of_reward, f"{of_reward}/picture")]


def test_it_works(shop: Shop) -> None:
    owner = shop.client()
    for page, upload in places(shop):
        answer = owner.post(upload, {"image": uploads.file()}, follow=True)

        assert answer.redirect_chain == [(page, 302)]
        assert answer.content.decode().count('<img class="picture') == 1
        assert owner.get(f"{upload}/remove").status_code == 200
        gone = owner.post(f"{upload}/remove", follow=True).content.decode()
        assert '<img class="picture' not in gone
    assert (logo(shop), reward(shop).image.name) == ("", "")


def test_the_logo_stands_in_the_back_office_and_on_customers_pages(shop: Shop) -> None:
    owner = shop.client()
    owner.post(shop.page("branding/logo"), {"image": uploads.file()})
    small = f'src="/media/{images.small(logo(shop))}"'

    for path in (shop.page(), shop.page("cards"), "/store/merchant/team", f"/loyalty/{shop.code}/enroll"):
        assert small in owner.get(path).content.decode(), path


def test_a_rewards_picture_stands_in_the_list(shop: Shop) -> None:
    owner = shop.client()
    owner.post(places(shop)[1][1], {"image": uploads.file()})

    assert f'src="/media/{images.small(reward(shop).image.name)}"' in owner.get(shop.page("rewards")).content.decode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty"), (b"<svg/>", "Choose a PNG, JPEG or WebP"), (None, "Choose a picture first"),
        (b"\x89PNG" + b"x" * images.MAX_BYTES, "5 MB at most"), (b"\x89PNG" + b"x" * 12_000_000, "5 MB at most"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_the_field_and_the_old_one_stays(shop: Shop, data: bytes | None, said: str) -> None:
    owner = shop.client()
    for page, upload in places(shop):
        owner.post(upload, {"image": uploads.file()})
        before = logo(shop), reward(shop).image.name

        answer = owner.post(upload, {} if data is None else {"image": uploads.file(data)})

        text = answer.content.decode()
        assert answer.status_code == 400
        assert said in text
        assert 'id="id_image_error"' in text
        assert f'action="{page}"' in text
        assert (logo(shop), reward(shop).image.name) == before


def test_a_forged_form_changes_nothing(shop: Shop) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(shop.people["owner"], backend="django.contrib.auth.backends.ModelBackend")

    for _page, upload in places(shop):
        assert strict.post(upload, {"image": uploads.file()}).status_code == 403
    assert (logo(shop), reward(shop).image.name) == ("", "")
