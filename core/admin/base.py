"""What the admin pages of all apps share: bounded counts, searched filters, actions with reasons, a nameless log."""

import json
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from core.admin import actions, filters
from core.errors import DomainError

COUNTED_AT_MOST = 10_000
FOUND_AT_MOST = 200
LONGEST_SEARCH = 254


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages that never count a big table to its end."""

    @cached_property
    def count(self) -> int:
        """Count the rows, up to a bound."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED_AT_MOST].count())


class PlatformAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What every admin page of ours has: bounded counts, small pages, nothing deleted by the way.

    list_filter names a foreign key as `by("merchant")`: it is searched for, never chosen from a giant select.
    detail_select_related: what the page of one row reads along. id_columns: columns that a searched id may stand in.
    searched_by_index: the table is big, and never searched in another way than `ways_to_find`.
    """

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    change_form_template = "admin/row.html"
    detail_select_related: tuple[str, ...] = ()
    id_columns: tuple[str, ...] = ()
    searched_by_index = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete nothing here: rows end by a date or a state, and others refer to them."""
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Tell who may run actions and see personal data in full: whoever may change the model."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))

    @property
    def media(self) -> Media:
        """Add what the searching filters need."""
        found = super().media
        wanted = [entry for entry in self.list_filter if isinstance(entry, tuple) and entry[1] is filters.Searched]
        for name, _filter in wanted[:1]:
            field = cast(Any, self.model._meta.get_field(cast(str, name)))
            found += AutocompleteSelect(field, self.admin_site).media
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read along what the page of one row shows."""
        rows = super().get_queryset(request)
        page = request.resolver_match.url_name if request.resolver_match else ""
        if self.detail_select_related and page == f"{self.opts.app_label}_{self.opts.model_name}_change":
            rows = rows.select_related(*self.detail_select_related)
        return rows

    def ways_to_find(self, term: str) -> list[models.Q]:
        """Return the conditions under which a row is what was searched for, each answered by an index."""
        wanted = as_uuid(term)
        return [] if wanted is None else [models.Q(**{column: wanted}) for column in self.id_columns]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:  # fmt: skip
        """Find through indexes; a small table is searched through the texts of its search_fields besides."""
        term = search_term.strip()[:LONGEST_SEARCH]
        if not term:
            return queryset, False
        found: set[Any] = set()
        # One after the other: an OR over several columns would read the whole table.
        for way in self.ways_to_find(term):
            found.update(queryset.filter(way).order_by().values_list("pk", flat=True)[:FOUND_AT_MOST])
        if found or self.searched_by_index:
            return queryset.filter(pk__in=found), False
        return super().get_search_results(request, queryset, term)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run the chosen action; ids that are none choose nothing."""
        try:
            return super().response_action(request, queryset, *args, **kwargs)
        except (ValidationError, ValueError, OverflowError):
            messages.warning(request, _("These rows are not there any more."))
            return HttpResponseRedirect(request.path)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show or save one row; what a service refuses is said, and nothing is changed."""
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            messages.error(request, actions.said(refusal))
            return HttpResponseRedirect(request.path)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], add: bool = False, change: bool = False,
        form_url: str = "", obj: Any = None,
    ) -> HttpResponse:  # fmt: skip
        """Offer the actions that make sense for this row."""
        context["row_actions"] = actions.offered(self, request, obj) if obj is not None else []
        return super().render_change_form(request, context, add, change, form_url, obj)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Note an added row by its id."""
        return self._log(request, [obj], ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Note a changed row by its id."""
        return self._log(request, [obj], CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Note deleted rows by their ids."""
        return self._log(request, list(queryset), DELETION, "")

    def _log(self, request: HttpRequest, rows: list[Any], flag: int, message: Any) -> Any:
        """Write the admin's own log without what a row says of itself: that may be a person's name or address."""
        kind = ContentType.objects.get_for_model(self.model, for_concrete_model=False)
        entries = [
            LogEntry(
                user_id=cast(UUID, request.user.pk), content_type_id=kind.pk, object_id=str(row.pk), action_flag=flag,
                object_repr=f"{self.opts.verbose_name} {row.pk}"[:200],
                change_message=_names_only(message),
            )
            for row in rows
        ]  # fmt: skip
        LogEntry.objects.bulk_create(entries)
        return entries[0] if len(entries) == 1 else entries


class ReadOnlyAdmin(PlatformAdmin):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Add nothing by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change nothing by hand."""
        return False


def by(*names: str) -> list[Any]:
    """Return list filters of foreign keys that are searched for by name."""
    return [(name, filters.Searched) for name in names]


def as_uuid(term: str) -> UUID | None:
    """Return the id that a text is, None when it is none."""
    try:
        return UUID(term)
    except ValueError:
        return None


def hidden(text: Any) -> str:
    """Return what stands for a text that is shown on request only."""
    return "•••" if text else "–"


def _names_only(message: Any) -> Any:
    """Keep the names of changed fields and kinds of rows; Django adds what a row of an inline says of itself."""
    if not isinstance(message, list):
        return ""
    return json.dumps([{verb: _without_rows(facts) for verb, facts in part.items()} for part in message])


def _without_rows(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a message tells, but for "object"."""
    return {key: fact for key, fact in facts.items() if key != "object"}
