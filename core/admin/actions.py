"""Actions with a reason: the rows are shown, the reason is asked for, then it is done in one transaction and audited.

An action is a method of a PlatformAdmin that does the work through a service: `@reasoned(_("Freeze"), done=…)` above
`def freeze(self, request, rows, order)`. It returns how many rows it changed, or a page of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.errors import DomainError, ValidationFailed
from core.forms import ReasonForm

AT_MOST = 100
Run = Callable[[Any, HttpRequest, list[Any], "Order"], int | HttpResponse]
Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants it, why and when."""

    actor_id: UUID
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wording:
    """How an action is called and what it does; see `reasoned`."""

    label: str | Promise
    effect: str | Promise
    at_most: int
    grave: bool
    when: Callable[[Any], bool] | None


def reasoned(
    label: str | Promise,
    *,
    effect: str | Promise = "",
    at_most: int = AT_MOST,
    grave: bool = False,
    when: Callable[[Any], bool] | None = None,
) -> Callable[[Run], Action]:
    """Make an action that asks for a reason first.

    effect: what it means for those concerned. at_most: on how many rows it may run at once. grave: it is shown as
    something one does not do by the way. when: whether the page of one row offers it.
    """
    wording = Wording(label, effect, at_most, grave, when)

    def decorate(run: Run) -> Action:
        @wraps(run)
        def action(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            return _ask_or_run(self, request, queryset, run, wording)

        action.wording = wording  # type: ignore[attr-defined]
        return admin.action(description=label, permissions=["operate"])(action)  # type: ignore[arg-type]

    return decorate


def offered(page: Any, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
    """Return the actions that the page of one row offers."""
    found = page.get_actions(request)
    return [
        {"name": name, "label": label, "grave": function.wording.grave}
        for name, (function, _name, label) in found.items()
        if hasattr(function, "wording") and (function.wording.when is None or function.wording.when(row))
    ]


def said(refusal: DomainError) -> str:
    """Return a refusal as one sentence."""
    if isinstance(refusal, ValidationFailed):
        return " ".join(str(text) for found in refusal.errors.values() for _code, text in found)
    return refusal.detail


def _ask_or_run(
    page: Any, request: HttpRequest, queryset: QuerySet[Any], run: Run, wording: Wording
) -> HttpResponse | None:
    # By the key: whoever locks several rows locks them in this order.
    rows = list(queryset.order_by("pk")[: wording.at_most + 1])
    if not rows or len(rows) > wording.at_most:
        messages.error(request, _choose(wording.at_most))
        return None
    form = ReasonForm(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return _ask(page, request, rows, form, wording)
    order = Order(actor_id=cast(UUID, request.user.pk), reason=form.cleaned_data["reason"], at=timezone.now())
    try:
        with transaction.atomic():
            answer = run(page, request, rows, order)
    except DomainError as refusal:
        messages.error(request, said(refusal))
        return _back(page, request, rows)
    if isinstance(answer, int):
        _tell(request, wording, answer)
        return _back(page, request, rows)
    return answer


def _ask(page: Any, request: HttpRequest, rows: list[Any], form: ReasonForm, wording: Wording) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request), "title": capfirst(str(wording.label)), "opts": page.opts,
        "rows": rows, "form": form, "wording": wording, "action": request.POST.get("action", ""),
        "checkbox": helpers.ACTION_CHECKBOX_NAME, "from_row": request.POST.get("from_row", ""),
    }  # fmt: skip
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "admin/reason.html", context)


def _tell(request: HttpRequest, wording: Wording, changed: int) -> None:
    if changed:
        messages.success(request, _("%(action)s: done for %(count)d.") % {"action": wording.label, "count": changed})
    else:
        messages.info(request, _("%(action)s: nothing had to change.") % {"action": wording.label})


def _back(page: Any, request: HttpRequest, rows: list[Any]) -> HttpResponse | None:
    """Lead back to the row's own page if that is where one came from; None: to the list."""
    if not request.POST.get("from_row") or len(rows) != 1:
        return None
    name = f"{page.admin_site.name}:{page.opts.app_label}_{page.opts.model_name}_change"
    return HttpResponseRedirect(reverse(name, args=[rows[0].pk]))


def _choose(at_most: int) -> str:
    return _("Choose one row.") if at_most == 1 else _("Choose 1 to %(most)d rows.") % {"most": at_most}
