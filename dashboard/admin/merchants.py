"""One merchant: how it stands, its people, stores, programs and figures, what lags, the audit, and the way to look."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import tenancy
from core.admin import actions
from core.forms import ReasonForm
from dashboard.admin import audited, drawn
from dashboard.admin.pages import OfMerchant
from dashboard.queries import periods, platform_days, platform_lists, platform_merchant
from dashboard.views import looking
from dashboard.views.base import MERCHANT_KEY
from merchants.models import Merchant
from merchants.queries import support as consents
from merchants.services import support
from stores.models import Store

DAYS = 28


class MerchantPage(OfMerchant):
    """The page."""

    template_name = "admin/platform/merchant.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show it."""
        return self.filled(ReasonForm(auto_id="look_%s"))

    def filled(self, form: ReasonForm, *, status: int = 200) -> HttpResponse:
        """Show it with the form that asks why somebody wants to look."""
        at, merchant = timezone.now(), self.merchant()
        period = periods.ending(platform_days.today(at), DAYS)
        line = platform_lists.merchant(merchant, at)
        with tenancy.scope(merchant.pk):
            detail = platform_merchant.detail(merchant.pk, period=period, at=at)
        stamps = [(day, figures.stamps_given) for day, figures in detail.by_day]
        return self.show(
            title=merchant.name, subtitle="", status=status, merchant=merchant, line=line, detail=detail,
            chart=drawn.stamps(stamps), form=form, may_look=looking.may_look(self.request),
            audit=[(audited.words(noted.action), noted) for noted in detail.audit],
            is_looking=looking.looked_at(self.request) == merchant.pk,
            row_actions=actions.offered(admin.site._registry[Merchant], self.request, merchant),
            opts=Merchant._meta,
        )  # fmt: skip


class LookStart(MerchantPage):
    """Begin a look, with a reason, if the merchant consents."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Open the merchant's first page, or say why not."""
        if not looking.may_look(self.request):
            raise PermissionDenied
        merchant, form = self.merchant(), ReasonForm(self.request.POST, auto_id="look_%s")
        if not form.is_valid():
            return self.filled(form, status=400)
        with tenancy.scope(merchant.pk):
            consent = consents.consent(at=timezone.now())
            store = Store.objects.filter(closed_at__isnull=True).order_by("created_at", "id").first()
        if consent is None:
            messages.error(self.request, str(support.NoConsent.message))
            return HttpResponseRedirect(reverse("platform:merchant", args=[merchant.pk]))
        looking.remember(self.request, merchant.pk, form.cleaned_data["reason"])
        self.request.session[MERCHANT_KEY] = str(merchant.pk)
        if store is None:
            return HttpResponseRedirect(reverse("dashboard:stores"))
        return HttpResponseRedirect(reverse("dashboard:home", args=[store.code]))


class LookEnd(OfMerchant):
    """End a look."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go back to the platform's page of the merchant."""
        looking.forget(self.request)
        messages.success(self.request, _("The look is over."))
        return HttpResponseRedirect(reverse("platform:merchant", args=[self.merchant().pk]))
