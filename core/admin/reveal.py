"""Personal data in the admin: masked on every page, shown once on request with a reason, and that is audited."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from core import audit
from core.admin.actions import Order, reasoned


class Revealing:
    """A page whose `revealed` columns are seen by nobody who has not said why. Mix it in before the admin's class."""

    revealed: ClassVar[tuple[str, ...]] = ()
    model: Any
    opts: Any
    admin_site: Any

    @reasoned(
        _("Show in full"),
        effect=_("You see the personal data of this row once. That you looked, and why, is kept."),
        at_most=1,
    )
    def reveal(self, request: HttpRequest, rows: list[Any], order: Order) -> HttpResponse:
        """Show the hidden columns of one row and note who looked, at whom and why."""
        row = rows[0]
        audit.clean_reason(order.reason, without=self.telling(row))
        audit.note(
            action=f"{self.opts.model_name}_revealed", target=f"{self.opts.model_name} {row.pk}",
            actor_id=order.actor_id, merchant_id=row.merchant_id, reason=order.reason,
        )  # fmt: skip
        shown = [(capfirst(self._label(name)), getattr(row, name)) for name in self.revealed]
        context = {
            **self.admin_site.each_context(request), "title": str(row), "opts": self.opts, "row": row,
            "shown": [(label, value) for label, value in shown if value not in (None, "")],
        }  # fmt: skip
        answer = TemplateResponse(request, "admin/revealed.html", context)
        add_never_cache_headers(answer)
        return answer

    def telling(self, row: Any) -> list[str]:
        """Return what the row's person is known by: the reason, which is kept for good, must hold none of it."""
        return []

    def _label(self, name: str) -> str:
        return str(getattr(self.model._meta.get_field(name), "verbose_name", name))
