"""The audit: append-only for every role that logs in, and its reasons name nobody."""

from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from core import audit, tenancy
from core.errors import ValidationFailed
from core.ids import uuid7
from core.models import AuditEntry

ATTEMPTS = [
    "UPDATE core_auditentry SET reason = 'another'",
    "DELETE FROM core_auditentry",
    "TRUNCATE core_auditentry",
    "ALTER TABLE core_auditentry DISABLE TRIGGER ALL",
    "ALTER TABLE core_auditentry DISABLE TRIGGER core_audit_no_change",
    "DROP TRIGGER core_audit_no_change ON core_auditentry",
    "DROP TABLE core_auditentry",
    "ALTER TABLE core_auditentry NO FORCE ROW LEVEL SECURITY",
    "SET session_replication_role = replica",
]


def test_it_works(db: None) -> None:
    merchant_id, actor_id = uuid7(), uuid7()
    with tenancy.scope(merchant_id):
        audit.note(action="card_frozen", target="card 1", actor_id=actor_id, merchant_id=merchant_id, reason="lost")

        entry = AuditEntry.objects.get()

    assert (entry.action, entry.target, entry.reason, entry.actor_id) == ("card_frozen", "card 1", "lost", actor_id)


@pytest.mark.parametrize("statement", ATTEMPTS)
@pytest.mark.parametrize("as_platform", [False, True], ids=["merchant", "platform"])
def test_the_applications_roles_can_change_nothing(db: None, statement: str, as_platform: bool) -> None:
    merchant_id = uuid7()
    with tenancy.scope(merchant_id):
        audit.note(action="card_frozen", target="card 1", actor_id=None, merchant_id=merchant_id, reason="lost")
    scope = tenancy.platform(reason="test") if as_platform else tenancy.scope(merchant_id)

    with pytest.raises(DatabaseError), transaction.atomic(), scope, connection.cursor() as cursor:
        cursor.execute(statement)

    with tenancy.scope(merchant_id):
        assert AuditEntry.objects.values_list("reason", flat=True).get() == "lost"


def test_the_orm_and_the_admin_can_change_nothing_either(db: None) -> None:
    with tenancy.platform(reason="test"):
        entry = audit.note(action="card_frozen", target="card 1", actor_id=None, reason="lost")
        entry.reason = "another"
        for change in (entry.save, entry.delete, AuditEntry.objects.all().delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()

        assert AuditEntry.objects.get().reason == "lost"


def test_even_the_owner_of_the_table_meets_the_trigger(real_db: Any) -> None:
    with tenancy.platform(reason="test"):
        audit.note(action="card_frozen", target="card 1", actor_id=None, reason="lost")

    with real_db.connect_as_superuser() as wire, pytest.raises(psycopg.errors.RestrictViolation):
        wire.execute("DELETE FROM core_auditentry")


@pytest.mark.parametrize("text", ["", "  ", "ab", "\x00\x00\x00", "x" * 301, "asked by marie@example.com"])
def test_refuses_reasons_that_say_nothing_or_too_much(text: str) -> None:
    with pytest.raises(ValidationFailed):
        audit.clean_reason(text)


def test_writes_reasons_in_one_line() -> None:
    assert audit.clean_reason("  lost \n at\x00 the fair ") == "lost at the fair"
