"""Promise 17, from outside: what strangers upload or type comes out harmless where others open it.

Kinds of pictures, damage and memory: tests/core/test_images.py. Cells: tests/core/test_csv.py. Exports of 100,000 rows:
tests/dashboard/api/test_exports.py.
"""

import csv
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from core.csv import neutral
from tests.support import uploads
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
LOGO, EXPORTS = "/api/v1/merchant/logo", "/api/v1/merchant/exports/"
FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-2+3",
    "@SUM(1+1)",
    "\uff1d1+1",
    '=HYPERLINK("http://x.example")',
    "a;=1+1",
]
SCRIPT = b"<script>alert('canary')</script>"


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.LOYALTY_THROTTLE_SCALE = 1_000_000
    return World.make(loyalty_type="hybrid", points_per_euro="1")


def put(world: World, data: bytes) -> Any:
    caller = Caller.of(world)
    body = encode_multipart(BOUNDARY, {"image": uploads.file(data)})
    return caller.client.put(LOGO, body, content_type=MULTIPART_CONTENT, headers=caller.headers)


def bomb(side: int) -> bytes:
    """Return a small PNG that says, and unpacks to, side × side pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(b"\x00" * (side // 8 + 1) * side, 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("tail", [SCRIPT, b"PK\x03\x04canary", b"GIF89a" + SCRIPT, b"%PDF-1.7 canary"])
def test_promise_17_a_polyglot_is_served_as_the_picture_alone(world: World, tail: bytes) -> None:
    address = put(world, uploads.picture() + tail).json()["logo_url"]

    served = Client().get("/" + address.split("/", 3)[3])

    assert (served.status_code, served["Content-Type"]) == (200, "image/png")
    assert served["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in [part.strip() for part in served["Content-Security-Policy"].split(";")]
    data = served.getvalue()
    assert data.startswith(b"\x89PNG")
    assert data.endswith(b"IEND\xaeB`\x82")
    assert b"canary" not in data


@pytest.mark.parametrize("side", [5_000, 30_000])
def test_promise_17_a_bomb_is_refused_before_it_unpacks(world: World, side: int) -> None:
    upload, before = bomb(side), resident()
    assert len(upload) < 200_000

    answer = put(world, upload)

    assert_problem(answer, 400, "validation_error", "image")
    assert resident() - before < 20_000_000


@pytest.mark.parametrize(
    "data", [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"\x89PNG\r\n\x1a\n<svg onload='x'/>"]
)
def test_promise_17_svg_is_no_picture_whatever_it_calls_itself(world: World, data: bytes) -> None:
    assert_problem(put(world, data), 400, "validation_error", "image")


def test_promise_17_what_a_stranger_types_is_never_a_formula_in_the_merchants_files(world: World) -> None:
    """A name at the door of the shop, an order of a till: both are opened in a spreadsheet one day."""
    for formula in FORMULAS:
        body = {"store_code": world.store.code, "name": formula}
        made = Client().post("/api/v1/storefront/loyalty/enroll", body, content_type="application/json")
        assert made.status_code == 201
        sale = {"card_id": made.json()["card"]["id"], "purchase_amount_cents": 500, "order_reference": formula}
        assert Caller.of(world).post("points", sale).status_code == 201

    found = []
    for name in ("cards", "customers", "transactions"):
        text = Caller.of(world).get(f"{EXPORTS}{name}.csv").getvalue().decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert [cell for cell in cells if cell[:1] and cell[0] in "=+@\t\r\uff1d"] == []
        assert [cell for cell in cells if cell.startswith("-") and not cell[1:].isdigit()] == []
        found += cells
    # The card, the customer, and two rows of a sale that brought points and a stamp.
    assert {formula: found.count(neutral(formula)) for formula in FORMULAS} == dict.fromkeys(FORMULAS, 4)
