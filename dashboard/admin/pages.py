"""The base of the platform's own pages in the admin: who may, the admin's frame around them, addresses of lists.

PlatformAdminMiddleware has asked for the second factor and opened the platform's scope before any of them runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.functional import SimpleLazyObject
from django.views import View

from merchants.models import Merchant

LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a filter, or an entry of a switch."""

    label: str
    value: str = ""
    url: str = ""
    active: bool = False


class PlatformPage(View):
    """A page. needs: the right of the admin that opens it; template_name; title."""

    http_method_names = ["get", "head", "options"]
    needs = "merchants.view_merchant"
    template_name = ""

    @classmethod
    def page(cls) -> Callable[..., HttpResponseBase]:
        """Return the view behind the admin's own door."""
        view: Callable[..., HttpResponseBase] = admin.site.admin_view(cls.as_view())
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let in who has the right."""
        if not request.user.has_perm(self.needs):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def show(self, *, title: str, status: int = 200, **context: Any) -> HttpResponse:
        """Render the page in the admin's frame."""
        self.request.current_app = admin.site.name
        return TemplateResponse(
            self.request, self.template_name, {**_frame(self.request), "title": title, **context}, status=status
        )  # fmt: skip

    def asked(self, name: str) -> str:
        """Return what the address asks for, cut to a length that somebody could have typed."""
        return self.request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST_SEARCH]

    def address(self, **changes: str) -> str:
        """Return the address of this list with something changed (empty: left out)."""
        kept = {name: self.asked(name) for name in self.request.GET}
        wanted = {name: value for name, value in {**kept, **changes}.items() if value}
        return f"{self.request.path}?{urlencode(wanted)}" if wanted else self.request.path


def _frame(request: HttpRequest) -> dict[str, Any]:
    """Return what the admin's frame shows, as its `each_context` does, but the side bar only when it is drawn anew."""
    site = admin.site
    return {
        "site_title": site.site_title, "site_header": site.site_header, "site_url": site.site_url,
        "has_permission": site.has_permission(request), "is_nav_sidebar_enabled": site.enable_nav_sidebar,
        "is_popup": False, "available_apps": SimpleLazyObject(lambda: site.get_app_list(request)),
    }  # fmt: skip


class OfMerchant(PlatformPage):
    """A page about one merchant, which the address names."""

    def merchant(self) -> Merchant:
        """Return the merchant of the address; 404 for none."""
        wanted: UUID = self.kwargs["merchant_id"]
        found = Merchant.objects.filter(pk=wanted).first()
        if found is None:
            raise Http404
        return found
