"""The logo over the merchant API and under /media/: replaced, removed, refused; nothing is left behind."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image

from core import images, tenancy
from core.models import AuditEntry
from merchants.models import Merchant
from tests.support import uploads
from tests.support.api import Caller, assert_problem
from tests.support.world import World

LOGO = "/api/v1/merchant/logo"
NAME = re.compile(r"http://\S+/media/(logos/[0-9a-f]{32}\.png)")


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def world(db: None, media: Path) -> World:
    return World.make()


def put(caller: Caller, address: str = LOGO, **fields: Any) -> Any:
    body = encode_multipart(BOUNDARY, fields or {"image": uploads.file()})
    return caller.client.put(address, body, content_type=MULTIPART_CONTENT, headers=caller.headers)


def stored(media: Path) -> list[str]:
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


def merchant(world: World) -> Merchant:
    with tenancy.scope(world.merchant_id):
        return Merchant.objects.get()


def test_it_works(real_db: Any, media: Path) -> None:
    world = World.make()
    caller = Caller.of(world)

    first = put(caller)
    second = put(caller)

    assert (first.status_code, second.status_code) == (200, 200)
    name = NAME.fullmatch(second.json()["logo_url"])
    assert name
    assert stored(media) == sorted([name[1], images.small(name[1])])
    assert merchant(world).logo.name == name[1]
    assert merchant(world).branding_version == 3
    answer = Client().get(f"/media/{name[1]}")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert Image.open(io.BytesIO(answer.getvalue())).size == (660, 660)
    assert Client().get(f"/media/{images.small(name[1])}")["Content-Type"] == "image/webp"

    assert caller.delete(LOGO).status_code == 204
    assert caller.delete(LOGO).status_code == 204
    assert stored(media) == []
    assert merchant(world).logo.name == ""
    with tenancy.scope(world.merchant_id):
        kept = AuditEntry.objects.filter(action__startswith="merchant_logo").order_by("id")
        assert [entry.action for entry in kept] == ["merchant_logo_set"] * 2 + ["merchant_logo_removed"]


def test_a_refused_picture_leaves_the_old_one(real_db: Any, media: Path) -> None:
    world = World.make()
    caller = Caller.of(world)
    put(caller)
    before = stored(media), merchant(world).logo.name

    assert_problem(put(caller, image=uploads.file(b"<svg/>")), 400, "validation_error", "image")

    assert (stored(media), merchant(world).logo.name) == before


def test_a_failure_while_saving_leaves_the_old_one_and_no_new_file(real_db: Any, media: Path) -> None:
    world = World.make()
    put(Caller.of(world))
    before = stored(media), merchant(world).logo.name
    with real_db.connect_as_superuser() as wire:
        wire.execute("REVOKE UPDATE ON merchants_merchant FROM loyalty_app")

    answer = put(Caller({"Authorization": f"Bearer {world.key_text}"}, Client(raise_request_exception=False)))

    assert answer.status_code == 500
    assert (stored(media), merchant(world).logo.name) == before


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "logo.png", "empty"), (b"<svg onload='alert(1)'/>", "logo.svg", "not_an_image"),
        (b"<script>alert(1)</script>", "logo.png", "not_an_image"),
        (uploads.picture(kind="GIF"), "a.gif", "not_an_image"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * images.MAX_BYTES, "logo.png", "too_large"),
    ],
)  # fmt: skip
def test_refuses(world: World, media: Path, data: bytes, name: str, code: str) -> None:
    body = assert_problem(put(Caller.of(world), image=uploads.file(data, name)), 400, "validation_error", "image")

    assert body["errors"][0]["code"] == code
    assert stored(media) == []


def test_the_senders_name_and_type_count_for_nothing(world: World, media: Path) -> None:
    upload = uploads.file(uploads.picture(kind="JPEG"), "../../etc/pass\x00wd.php")
    upload.content_type = "text/html"

    answer = put(Caller.of(world), image=upload)

    assert NAME.fullmatch(answer.json()["logo_url"])
    assert all(re.fullmatch(r"logos/[0-9a-f]{32}(\.png|-s\.webp)", name) for name in stored(media))


def test_refuses_other_fields_other_bodies_and_a_missing_file(world: World) -> None:
    caller = Caller.of(world)

    assert_problem(put(caller, image=uploads.file(), name="x"), 400, "validation_error", "name")
    assert_problem(put(caller, image="no file"), 400, "validation_error", "image")
    assert_problem(put(caller, nothing=""), 400, "validation_error", "nothing")
    assert_problem(caller.send("put", LOGO, {"image": "x"}), 415, "unsupported_media_type")
    broken = caller.client.put(LOGO, b"--x", content_type="multipart/form-data", headers=caller.headers)
    assert_problem(broken, 400, "validation_error")


def test_a_file_of_30_megabytes_is_not_kept(world: World, settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)

    answer = put(Caller.of(world), image=uploads.file(b"\x89PNG\r\n\x1a\n" + b"x" * 30_000_000))

    assert_problem(answer, 400, "validation_error", "image")
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_managers_and_keys_that_manage_and_nobody_else(world: World) -> None:
    for role in ("owner", "manager"):
        assert put(Caller.person(world, role)).status_code == 200
    for refused in (
        Caller.person(world, "staff"), Caller.with_scopes(world, ["read", "earn", "redeem"]), Caller.terminal(world),
    ):  # fmt: skip
        assert_problem(put(refused), 403, "permission_denied")
        assert_problem(refused.delete(LOGO), 403, "permission_denied")
    assert_problem(put(Caller()), 401, "not_authenticated")


def test_another_merchants_logo_stays(world: World) -> None:
    other = World.make()
    put(Caller.of(other))
    name = merchant(other).logo.name

    put(Caller.of(world))
    Caller.of(world).delete(LOGO)

    assert merchant(other).logo.name == name


@pytest.mark.parametrize(
    "file",
    [
        "../secrets.json", "logos/../../secrets.json", "logos/x.png", "logos/", "rewards", "logos/%2e%2e/x",
        "notes.txt",
        "logos/" + "0" * 32 + ".svg", "logos/" + "0" * 32 + ".png%00", "logos/" + "0" * 32 + ".png/x", "exports/a.png",
    ],
)  # fmt: skip
def test_serves_pictures_of_our_own_making_only(media: Path, db: None, file: str) -> None:
    for name in ("logos/x.png", "notes.txt", f"logos/{'0' * 32}.svg", "exports/a.png"):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(b"<script>alert(1)</script>")
    (media.parent / "secrets.json").write_text("{}")

    assert Client().get(f"/media/{file}").status_code in (301, 404)
