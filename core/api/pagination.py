"""Lists: {next, previous, results} by cursor, complete addresses, at most 100 rows."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, pagination

from core.errors import ValidationFailed


class CursorPagination(pagination.CursorPagination):
    """Cursor pages of 25 rows, `?page_size=` up to 100; a cursor that is not ours is a validation error."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering: Any = "-id"

    def decode_cursor(self, request: Any) -> Any:
        """Read the cursor of the address."""
        try:
            return super().decode_cursor(request)
        except exceptions.NotFound:
            raise ValidationFailed.of("cursor", "invalid", _("This page address is out of date.")) from None

    def get_page_size(self, request: Any) -> int:
        """Read `?page_size=`, refusing what is not a number from 1 to 100."""
        raw = request.query_params.get("page_size")
        if raw is None:
            return self.page_size
        if not raw.isascii() or not raw.isdigit() or len(raw) > 3 or not 1 <= int(raw) <= self.max_page_size:
            raise ValidationFailed.of("page_size", "invalid", _("Choose a number from 1 to 100."))
        return int(raw)
