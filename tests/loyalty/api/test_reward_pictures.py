"""The picture of a reward: over the API, on the pages that show it, and gone with the reward."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from core import tenancy
from core.ids import uuid7
from core.models import OutboxEvent
from loyalty.models import Reward
from tests.support import uploads
from tests.support.api import Caller, assert_problem
from tests.support.world import World


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def world(db: None, media: Path) -> World:
    return World.make(loyalty_type="points", points_per_euro="1")


def made(world: World) -> UUID:
    return UUID(Caller.of(world).post("rewards", {"name": "Scarf", "points_cost": 5}).json()["id"])


def put(caller: Caller, reward_id: UUID, data: bytes | None = None) -> Any:
    body = encode_multipart(BOUNDARY, {"image": uploads.file(data)})
    address = f"/api/v1/store/loyalty/rewards/{reward_id}/image"
    return caller.client.put(address, body, content_type=MULTIPART_CONTENT, headers=caller.headers)


def stored(media: Path) -> list[str]:
    return sorted(path.name[32:] for path in media.rglob("*") if path.is_file())


def test_it_works(real_db: Any, media: Path) -> None:
    world = World.make(loyalty_type="points", points_per_euro="1")
    reward_id, caller = made(world), Caller.of(world)

    answer = put(caller, reward_id)
    again = put(caller, reward_id, uploads.picture((3000, 1500), "JPEG"))

    assert (answer.status_code, again.status_code) == (200, 200)
    assert again.json()["image_url"].startswith("http")
    assert caller.get("rewards").json()["results"][0]["image_url"] == again.json()["image_url"]
    assert caller.client.get(again.json()["image_url"].split("testserver")[-1].split(":8000")[-1]).status_code == 200
    assert stored(media) == ["-s.webp", ".webp"]
    with tenancy.scope(world.merchant_id):
        assert OutboxEvent.objects.filter(topic="program.changed").count() >= 2
    assert caller.delete(f"rewards/{reward_id}/image").status_code == 204
    assert caller.get("rewards").json()["results"][0]["image_url"] is None
    assert stored(media) == []


@pytest.mark.parametrize("used", [False, True])
def test_a_reward_that_is_taken_off_takes_its_picture_along(real_db: Any, media: Path, used: bool) -> None:
    world = World.make(loyalty_type="points", points_per_euro="1")
    reward_id, caller = made(world), Caller.of(world)
    put(caller, reward_id)
    if used:
        card = world.card()
        world.sale(card, 1000)
        world.spend(card, reward_id)

    assert caller.delete(f"rewards/{reward_id}").status_code == 204

    assert stored(media) == []
    with tenancy.scope(world.merchant_id):
        assert list(Reward.objects.values_list("image", flat=True)) == ([""] if used else [])
    assert_problem(put(caller, reward_id), 404, "not_found")
    assert stored(media) == []


def test_refuses_what_is_no_picture(world: World, media: Path) -> None:
    body = assert_problem(put(Caller.of(world), made(world), b"<svg/>"), 400, "validation_error", "image")

    assert body["errors"][0]["code"] == "not_an_image"
    assert stored(media) == []


def test_another_merchants_reward_404_whatever_is_sent(world: World, media: Path) -> None:
    other = World.make(loyalty_type="points")
    theirs = made(other)

    for reward_id in (theirs, uuid7()):
        assert_problem(put(Caller.of(world), reward_id), 404, "not_found")
        assert_problem(put(Caller.of(world), reward_id, b"x"), 404, "not_found")
        assert_problem(Caller.of(world).delete(f"rewards/{reward_id}/image"), 404, "not_found")
    assert stored(media) == []


def test_only_who_manages(world: World) -> None:
    reward_id = made(world)

    for refused in (Caller.person(world, "staff"), Caller.with_scopes(world, ["read", "earn"]), Caller.terminal(world)):
        assert_problem(put(refused, reward_id), 403, "permission_denied")
    assert put(Caller.person(world, "manager"), reward_id).status_code == 200


def test_customers_see_the_small_one(world: World) -> None:
    reward_id = made(world)
    put(Caller.of(world), reward_id)
    with tenancy.scope(world.merchant_id):
        name = Reward.objects.get().image.name

    page = Caller().client.get(f"/loyalty/{world.store.code}/enroll").content.decode()

    assert f'src="/media/{name[:-5]}-s.webp"' in page
