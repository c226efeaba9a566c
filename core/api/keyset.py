"""Cursors over several columns, for orders in which many rows share the first one (a date, a position)."""

import base64
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.utils.urls import replace_query_param

from core.api.pagination import CursorPagination
from core.api.parsers import UNSTORABLE
from core.errors import ValidationFailed


class KeysetPagination(CursorPagination):
    """Pages by the values of all ordering columns; the last one is unique.

    DRF's own cursor counts an offset among equal values and loses its way behind a thousand of them. The ordering is
    the view's `ordering` (one direction for all columns), which the caller may have chosen.
    """

    page: list[Any]

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        """Return the rows of the page the address asks for."""
        self.request = request
        self.columns = tuple(view.ordering if view is not None else self.ordering)
        size = self.get_page_size(request)
        backwards, values = self._position(queryset.model)
        descending = self.columns[0].startswith("-")
        if values is not None:
            queryset = queryset.filter(self._beyond(values, less=descending != backwards))
        order = [_opposite(column) for column in self.columns] if backwards else self.columns
        rows = list(queryset.order_by(*order)[: size + 1])
        more, page = len(rows) > size, rows[:size]
        if backwards:
            page.reverse()
        came_from = values is not None and bool(page)
        self.has_next, self.has_previous = (came_from, more) if backwards else (more, came_from)
        self.page = page
        return page

    def get_next_link(self) -> str | None:
        """Return the complete address of the next page."""
        return self._link(self.page[-1], backwards=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        """Return the complete address of the previous page."""
        return self._link(self.page[0], backwards=True) if self.has_previous else None

    def _names(self) -> list[str]:
        return [column.lstrip("-") for column in self.columns]

    def _link(self, row: Any, *, backwards: bool) -> str:
        values = [str(getattr(row, name)) for name in self._names()]
        text = json.dumps([int(backwards), *values], separators=(",", ":"))
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return str(replace_query_param(self.request.build_absolute_uri(), self.cursor_query_param, cursor))

    def _position(self, model: Any) -> tuple[bool, list[Any] | None]:
        """Read the cursor: whether it goes backwards, and the values it stands at (None: the first page)."""
        raw = self.request.query_params.get(self.cursor_query_param)
        if raw is None:
            return False, None
        try:
            found = json.loads(base64.urlsafe_b64decode(raw.encode() + b"=" * (-len(raw) % 4)))
            backwards, *texts = found
            if backwards not in (0, 1) or any(UNSTORABLE.search(text) for text in texts):
                raise ValueError("not a cursor")
            fields = [model._meta.get_field(name) for name in self._names()]
            values = [field.to_python(text) for field, text in zip(fields, texts, strict=True)]
        except (ValueError, TypeError, ValidationError, RecursionError):
            raise ValidationFailed.of("cursor", "invalid", _("This page address is out of date.")) from None
        return bool(backwards), values

    def _beyond(self, values: list[Any], *, less: bool) -> Q:
        """Return the condition of the rows behind the position; its first part is what an index can start from."""
        step = "lt" if less else "gt"
        pairs = list(zip(self._names(), values, strict=True))
        condition = Q(**{f"{pairs[-1][0]}__{step}": pairs[-1][1]})
        for name, value in reversed(pairs[:-1]):
            condition = Q(**{f"{name}__{step}": value}) | (Q(**{name: value}) & condition)
        return Q(**{f"{pairs[0][0]}__{step}e": pairs[0][1]}) & condition


def _opposite(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"
