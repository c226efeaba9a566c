"""Pairing a device, once, within 15 minutes; revoking it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.ids import uuid7
from stores.models import Store, Terminal, TerminalPairing
from stores.queries import devices
from stores.services import stores, terminals
from stores.services.terminals import PairingRefused
from tests.factories.merchants import MerchantFactory, UserFactory
from tests.factories.stores import StoreFactory, TerminalFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def make_code(store: Store, user_id: UUID | None = None) -> str:
    return terminals.make_pairing_code(
        merchant_id=store.merchant_id, store_id=store.pk, name="Till 1", user_id=user_id or UserFactory().pk, at=NOON
    ).code


@pytest.mark.django_db
def test_it_works_once_and_keeps_no_secret() -> None:
    store = StoreFactory()
    code = make_code(store)

    paired = terminals.pair(code=code.lower(), at=NOON + timedelta(minutes=14))

    found = devices.terminal_credential(paired.token)
    assert found is not None
    assert (found.kind, found.merchant_id, found.id) == ("terminal", store.merchant_id, paired.terminal.pk)
    assert (paired.terminal.store_id, paired.terminal.name) == (store.pk, "Till 1")
    with pytest.raises(PairingRefused):
        terminals.pair(code=code, at=NOON)
    with tenancy.scope(store.merchant_id):
        assert code not in str(TerminalPairing.objects.values())
        assert paired.token.split(".")[1] not in str(Terminal.objects.values())


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [15, 16])
def test_a_code_ends_after_fifteen_minutes(minutes: int) -> None:
    code = make_code(StoreFactory())

    with pytest.raises(PairingRefused):
        terminals.pair(code=code, at=NOON + timedelta(minutes=minutes))


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "AAAAAAAA", "\x00", "é" * 500])
def test_refuses_an_unknown_code(code: str) -> None:
    with pytest.raises(PairingRefused):
        terminals.pair(code=code, at=NOON)


@pytest.mark.django_db
def test_refuses_a_code_of_a_closed_store() -> None:
    store = StoreFactory()
    code = make_code(store)
    stores.close(merchant_id=store.merchant_id, store_id=store.pk, at=NOON)

    with pytest.raises(PairingRefused):
        terminals.pair(code=code, at=NOON)


@pytest.mark.django_db
def test_makes_no_code_for_a_foreign_or_closed_store_or_without_a_name() -> None:
    store, other = StoreFactory(), MerchantFactory()

    with pytest.raises(NotFound):
        terminals.make_pairing_code(
            merchant_id=other.pk, store_id=store.pk, name="T", user_id=UserFactory().pk, at=NOON
        )
    with pytest.raises(ValidationFailed):
        terminals.make_pairing_code(
            merchant_id=store.merchant_id, store_id=store.pk, name=" ", user_id=UserFactory().pk, at=NOON
        )


@pytest.mark.django_db
def test_revoking_ends_it_at_once_and_only_for_its_merchant() -> None:
    terminal = TerminalFactory()
    token = terminal.token

    with pytest.raises(NotFound):
        terminals.revoke(merchant_id=MerchantFactory().pk, terminal_id=terminal.pk, at=NOON)
    assert devices.terminal_credential(token) is not None

    terminals.revoke(merchant_id=terminal.merchant_id, terminal_id=terminal.pk, at=NOON)
    terminals.revoke(merchant_id=terminal.merchant_id, terminal_id=terminal.pk, at=NOON + timedelta(hours=1))

    assert devices.terminal_credential(token) is None
    with tenancy.scope(terminal.merchant_id):
        assert Terminal.objects.get().revoked_at == NOON


@pytest.mark.django_db
def test_notes_the_last_sight_at_most_once_a_minute() -> None:
    terminal = TerminalFactory()
    seen = []
    for seconds in (0, 30, 61):
        terminals.note_seen(
            merchant_id=terminal.merchant_id, terminal_id=terminal.pk, at=NOON + timedelta(seconds=seconds)
        )
        with tenancy.scope(terminal.merchant_id):
            seen.append(Terminal.objects.get().last_seen_at)

    assert seen == [NOON, NOON, NOON + timedelta(seconds=61)]


def test_one_of_many_devices_with_one_code_becomes_a_terminal(real_db: Any) -> None:
    store = StoreFactory()
    code, barrier = make_code(store), Barrier(8)

    def run(_: int) -> str:
        try:
            barrier.wait()
            terminals.pair(code=code, at=NOON)
        except PairingRefused:
            return "refused"
        else:
            return "paired"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(run, range(8)))

    assert outcomes == {"paired": 1, "refused": 7}
    with tenancy.scope(store.merchant_id):
        assert Terminal.objects.count() == 1


@pytest.mark.django_db
def test_no_terminal_for_an_unknown_id() -> None:
    with pytest.raises(NotFound):
        terminals.revoke(merchant_id=MerchantFactory().pk, terminal_id=uuid7(), at=NOON)
