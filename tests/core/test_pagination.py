"""Lists by cursor: complete addresses, bounded sizes, every row once, and cursors that nobody made up."""

import base64
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from core import tenancy
from core.api.keyset import KeysetPagination
from core.api.pagination import CursorPagination
from core.errors import ValidationFailed
from core.ids import uuid7
from core.models import OutboxEvent

MERCHANT = uuid7()


class ById(CursorPagination):
    """By the id alone."""

    ordering = "-id"


class ByTopic(KeysetPagination):
    """By a column that many rows share."""

    ordering = ("-topic", "-id")


@pytest.fixture
def rows(db: None) -> Any:
    with tenancy.scope(MERCHANT):
        for number in range(60):
            OutboxEvent.objects.create(topic=f"t{number % 3}", merchant_id=MERCHANT, created_at="2026-01-01T00:00:00Z")
        yield OutboxEvent.objects.all()


def request(address: str) -> Request:
    return Request(RequestFactory().get(address))


def page(kind: type[CursorPagination], rows: Any, address: str) -> tuple[list[int], str | None, str | None]:
    paginator = kind()
    found = paginator.paginate_queryset(rows, request(address))
    return [row.pk for row in found or []], paginator.get_next_link(), paginator.get_previous_link()


@pytest.mark.parametrize("kind", [ById, ByTopic])
def test_it_works(rows: Any, kind: type[CursorPagination]) -> None:
    ids, next_url, previous_url = page(kind, rows, "/api/v1/things?page_size=10&status=active")

    assert len(ids) == 10
    assert previous_url is None
    assert next_url is not None
    assert next_url.startswith("http://testserver/api/v1/things?")
    assert "status=active" in next_url
    assert "page_size=10" in next_url


@pytest.mark.parametrize("kind", [ById, ByTopic])
@pytest.mark.parametrize("size", [1, 7, 20, 60, 100])
def test_every_row_comes_once_forwards_and_backwards(rows: Any, kind: type[CursorPagination], size: int) -> None:
    forwards, address, pages = [], f"/x?page_size={size}", []
    while address:
        ids, following, _ = page(kind, rows, address)
        pages.append((address, ids))
        forwards += ids
        address = following or ""
    backwards, address = [], pages[-1][0]
    while address:
        ids, _, before = page(kind, rows, address)
        backwards = ids + backwards
        address = before or ""

    assert forwards == backwards
    assert sorted(forwards) == sorted(rows.values_list("pk", flat=True))


@pytest.mark.parametrize("kind", [ById, ByTopic])
def test_rows_that_come_in_between_move_nothing(rows: Any, kind: type[CursorPagination]) -> None:
    first, address, _ = page(kind, rows, "/x?page_size=10")
    OutboxEvent.objects.create(topic="t2", merchant_id=MERCHANT, created_at="2026-01-01T00:00:00Z")
    second, _, _ = page(kind, rows, address or "")

    assert set(first).isdisjoint(second)
    assert len(second) == 10


@pytest.mark.parametrize("kind", [ById, ByTopic])
@pytest.mark.parametrize("size", ["0", "-1", "101", "x", "", "1.5", "٣", "1e1", "9" * 50])
def test_sizes_out_of_bounds_are_refused(rows: Any, kind: type[CursorPagination], size: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        page(kind, rows, f"/x?page_size={size}")
    assert list(refused.value.errors) == ["page_size"]


@pytest.mark.parametrize(
    "text",
    ["x", "%00", "====", "[0]", '[0,"a"]', '[0,"t1","x"]', '[2,"t1","1"]', '["a"]', "null", "[[[[", '[0,"\x00","1"]'],
)
def test_made_up_cursors_are_refused(rows: Any, text: str) -> None:
    made = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    for cursor in (text, made):
        with pytest.raises(ValidationFailed) as refused:
            page(ByTopic, rows, f"/x?cursor={cursor}")
        assert list(refused.value.errors) == ["cursor"]


def test_the_default_size_is_25(rows: Any) -> None:
    assert len(page(ById, rows, "/x")[0]) == 25


def test_one_page_asks_one_query(rows: Any, django_assert_num_queries: Any) -> None:
    for size in (1, 3, 50):
        with django_assert_num_queries(1):
            page(ByTopic, rows, f"/x?page_size={size}")
