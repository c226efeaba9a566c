"""A list filter of a foreign key that is searched for by name: no select with ten thousand rows in it."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse


class Searched(admin.FieldListFilter):
    """Filters by one row of another table, which the admin's own search offers while one types."""

    template = "admin/searched_filter.html"

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:  # fmt: skip
        self.parameter = f"{field_path}__id__exact"
        self.site = model_admin.admin_site
        super().__init__(field, request, params, model, model_admin, field_path)
        raw = self.used_parameters.get(self.parameter) or ""
        self.value = str(raw[-1] if isinstance(raw, list) else raw)
        self.chosen = self._chosen() if self.value else None

    def expected_parameters(self) -> list[str | None]:
        """Return the parameter of the address."""
        return [self.parameter]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen one. Its merchant is named along: every index begins with the merchant."""
        if not self.value:
            return queryset
        if self.chosen is None:
            return queryset.none()
        merchant_id = getattr(self.chosen, "merchant_id", None)
        if merchant_id is not None:
            queryset = queryset.filter(merchant_id=merchant_id)
        return queryset.filter(**{self.field_path: self.chosen.pk})

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield what the template needs: the chosen row, and the rest of the address."""
        own = {self.parameter, "p", "e"}
        yield {
            "chosen": self.chosen,
            "parameter": self.parameter,
            "rest": [(name, text) for name, text in self.request.GET.items() if name not in own],
            "url": reverse(f"{self.site.name}:autocomplete"),
            "app_label": self.field.model._meta.app_label,
            "model_name": self.field.model._meta.model_name,
            "field_name": self.field.name,
        }

    def _chosen(self) -> Any:
        try:
            return cast(Any, self.field).remote_field.model._default_manager.filter(pk=self.value).first()
        except (ValidationError, ValueError) as error:
            raise IncorrectLookupParameters(error) from error
