"""The merchant's data as files: what each contains, and the way to take it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core import csv
from core.errors import DomainError, NotFound, ValidationFailed
from dashboard.forms.exports import TransactionsForm
from dashboard.services import exports
from dashboard.views import frame
from dashboard.views.base import MerchantView
from merchants.permissions import FULL_EXPORT, has_right

# The period that stands in the form at first.
USUAL_DAYS = 90


class Export(MerchantView):
    """The page with the three files."""

    template_name = "dashboard/export.html"
    section = "settings"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Say what each file contains."""
        today = timezone.localdate(timezone=self.desk.time_zone)
        usual = {"from": today - timedelta(days=USUAL_DAYS), "to": today}
        stores = [(store.code, store.name) for store in self.desk.stores]
        return self.page(
            form=TransactionsForm(initial=usual | self.request.GET.dict(), stores=stores),
            may_take_all=has_right(self.desk.role, FULL_EXPORT),
            subpages=frame.settings_pages(self.desk, "dashboard:export"),
        )


class ExportFile(MerchantView):
    """One of the files."""

    open_to_looks = False

    def get(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Stream it, or go back to what was asked for and say why not."""
        kind, at = kwargs["kind"], timezone.now()
        try:
            wanted = exports.read(kind, self.request.GET)
            body = exports.start(
                merchant_id=self.merchant_id, wanted=wanted, role=self.desk.role, at=at, actor_id=self.actor_id
            )
        except NotFound:
            raise
        except DomainError as error:
            messages.error(self.request, _sentence(error))
            return HttpResponseRedirect(f"{reverse('dashboard:export')}?{self.request.GET.urlencode()}")
        return csv.response(exports.file_name(self.desk.merchant.slug, kind, at), body)


def _sentence(error: DomainError) -> str:
    """Return what is wrong: the first field's word where the refusal names one."""
    if isinstance(error, ValidationFailed):
        return next(str(text) for found in error.errors.values() for _code, text in found)
    return error.detail
