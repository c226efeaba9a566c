"""The wizard's steps beside others at the same time: real commits, several connections."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.storage import default_storage
from django.db import connection

from core import tenancy
from core.errors import ValidationFailed
from dashboard.services import onboarding
from merchants.models import Merchant
from stores.models import StaffPin
from stores.services import pins
from stores.services.staff import NewPin
from tests.conftest import RealDatabase
from tests.support import uploads
from tests.support.world import World

COLOUR = "#5A2D1A"


class Looking(io.BytesIO):
    """A picture that looks, when it is read, whether the merchant's row is free."""

    def __init__(self, wire: psycopg.Connection, merchant_id: Any) -> None:
        super().__init__(uploads.picture())
        self.wire, self.merchant_id = wire, merchant_id
        self.found: list[Any] = []

    def read(self, size: int | None = -1) -> bytes:
        with self.wire.transaction():
            self.wire.execute("SELECT set_config('app.merchant_id', %s, true)", [str(self.merchant_id)])
            query = "SELECT id FROM merchants_merchant WHERE id = %s FOR UPDATE NOWAIT"
            self.found.append(self.wire.execute(query, [self.merchant_id]).fetchone())
        return super().read(size)


def choose(world: World, colour: str, logo: Any) -> None:
    onboarding.choose_looks(
        merchant_id=world.merchant_id, card_color=colour, logo=logo, actor_id=world.owner.pk, at=datetime.now(UTC)
    )


def merchant(world: World) -> Merchant:
    with tenancy.scope(world.merchant_id):
        return Merchant.objects.get()


def test_nobody_waits_while_a_picture_is_made(real_db: RealDatabase) -> None:
    world = World.make()
    with real_db.connect_as_app() as wire:
        logo = Looking(wire, world.merchant_id)
        choose(world, COLOUR, logo)

    assert logo.found == [(world.merchant_id,)]
    after = merchant(world)
    assert after.card_color == COLOUR
    assert default_storage.exists(after.logo.name or "")


def test_of_looks_that_are_refused_no_file_stays(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    world = World.make()

    with pytest.raises(ValidationFailed):
        choose(world, "#7F7F7F", uploads.file())

    assert merchant(world).logo.name == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def works(world: World, person: StaffPin, pin: str) -> bool:
    subject = pins.Subject("user", world.owner.pk)
    try:
        pins.verify(
            merchant_id=world.merchant_id, store_id=world.store.pk, subject=subject, pin=pin, staff_id=person.pk,
            at=datetime.now(UTC),
        )  # fmt: skip
    except pins.StaffPinInvalid:
        return False
    return True


def test_a_form_that_comes_twice_makes_one_person_with_one_pin(real_db: RealDatabase) -> None:
    world = World.make()
    together = threading.Barrier(2)

    def send() -> NewPin | None:
        together.wait()
        try:
            return onboarding.open_shop(
                merchant_id=world.merchant_id, store_id=world.store.pk, details={"city": "Esch"}, person="Anna",
                actor_id=world.owner.pk, at=datetime.now(UTC),
            )  # fmt: skip
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = [future.result() for future in [pool.submit(send), pool.submit(send)]]

    with tenancy.scope(world.merchant_id):
        (person,) = StaffPin.objects.all()
        assert person.name == "Anna"
    fits = [works(world, person, one.pin) for one in made if one and one.pin]
    assert sorted(fits) == [False, True]
