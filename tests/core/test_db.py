"""Writing with the commit in the same round trip: all of it is there, or nothing is."""

from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from django.db import DataError, IntegrityError, connection, transaction

from core import db
from core.ids import uuid7
from merchants.models import User
from tests.support.round_trips import counting

# Whose address it is, is looked at with the commit.
INSERT = (
    'INSERT INTO account_emailaddress (user_id, email, verified, "primary") VALUES (%s, %s, false, false) RETURNING 1'
)


@pytest.fixture
def person(real_db: None) -> UUID:
    """Somebody who may have addresses."""
    return User.objects.create_user(email="anna@example.com", password="not-used-here-2026").pk


def kept() -> list[str]:
    return sorted(EmailAddress.objects.values_list("email", flat=True))


def test_the_commit_travels_with_the_last_statement(person: UUID) -> None:
    heard: list[str] = []
    with counting() as trips, transaction.atomic():
        with db.pipeline() as line:
            line.run("SELECT 1")
        transaction.on_commit(lambda: heard.append("committed"))
        assert db.write(INSERT, [person, "a@example.com"], last=True) == (1,)
        assert heard == []

    assert (kept(), heard) == (["a@example.com"], ["committed"])
    assert len(trips) == 2, trips


def test_without_last_an_error_behind_it_takes_it_back(person: UUID) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        db.write(INSERT, [person, "a@example.com"])
        raise ZeroDivisionError

    assert kept() == []


def test_what_fails_is_not_committed(person: UUID) -> None:
    heard: list[str] = []
    with pytest.raises(DataError), transaction.atomic():
        transaction.on_commit(lambda: heard.append("committed"))
        db.write(INSERT, [person, "a@example.com"])
        db.write("SELECT 1 / (count(*) - %s) FROM account_emailaddress", [1], last=True)

    assert (kept(), heard) == ([], [])
    with transaction.atomic():
        db.write(INSERT, [person, "b@example.com"], last=True)
    assert kept() == ["b@example.com"]


def test_what_fails_with_the_commit_is_not_committed(person: UUID) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        db.write(INSERT, [person, "a@example.com"])
        db.write(INSERT, [uuid7(), "nobody@example.com"], last=True)

    assert kept() == []
    assert not connection.in_atomic_block


def test_inside_another_transaction_the_commit_is_left_to_that(person: UUID) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with transaction.atomic():
            db.write(INSERT, [person, "a@example.com"], last=True)
        raise ZeroDivisionError

    assert kept() == []
