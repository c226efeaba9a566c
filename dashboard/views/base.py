"""The base of a merchant's pages: who is asking, may they, and the frame around the content.

A page is rendered inside the merchant's scope; a POST runs outside of any scope and calls one service, which opens its
own. Another merchant's store, card or key is 404 and never told apart from none.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from core import tenancy
from core.errors import DomainError, NotFound
from core.middleware import fall_back
from dashboard.forms.base import show_error
from dashboard.queries import desks
from dashboard.queries.desks import Desk
from dashboard.views import frame, looking
from merchants.models import User
from merchants.permissions import MANAGE
from merchants.services.support import NoConsent

SAFE = ("GET", "HEAD", "OPTIONS")
# Which merchant the pages without a store code are about, for a person who works for several.
MERCHANT_KEY = "merchant"


class LoginNeeded:
    """Anonymous visitors sign in first, whatever the address; then they come back."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let in who is signed in."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class MerchantView(LoginNeeded, View):
    """A page of a merchant. Subclasses name the template, the section of the navigation and the scope they need."""

    http_method_names = ["get", "post", "head", "options"]
    template_name = ""
    section = ""
    # The page of the other store that the store chooser leads to.
    chooser_to = "dashboard:home"
    scope_needed = MANAGE
    # Whether an administrator of the platform may see it, with the merchant's consent.
    open_to_looks = True
    desk: Desk

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let in who belongs here: another merchant's people get 404, a role without the right 403."""
        if not request.user.is_authenticated:
            return super().dispatch(request, *args, **kwargs)
        try:
            merchant_id = self.find_merchant(kwargs.get("store_code"))
            look = looking.begin(request, merchant_id, open_to_looks=self.open_to_looks)
            with tenancy.scope(merchant_id):
                self.desk = self.find_desk(merchant_id, look)
                fall_back(request, self.desk.merchant.default_language)
                if not self.desk.may(self.scope_needed):
                    return self.page("dashboard/forbidden.html", status=403)
                if request.method in SAFE:
                    return self.finish(super().dispatch(request, *args, **kwargs))
            return self.finish(super().dispatch(request, *args, **kwargs))
        except NotFound:
            raise Http404 from None
        except (looking.LooksOnly, NoConsent) as refusal:
            return looking.refused(request, refusal, merchant_id)

    def find_merchant(self, store_code: str | None) -> UUID:
        """Return the merchant of the address: by its store code, else the one the person chose last."""
        if store_code is not None:
            return desks.merchant_of_store(store_code)
        chosen, looked_at = self.request.session.get(MERCHANT_KEY, ""), looking.looked_at(self.request)
        if looked_at is not None and str(looked_at) == chosen:
            return looked_at
        mine = desks.merchants_of(UUID(str(self.request.user.pk)))
        if not mine:
            raise NotFound
        return next((merchant_id for merchant_id in mine if str(merchant_id) == chosen), mine[0])

    def find_desk(self, merchant_id: UUID, look: looking.Look | None) -> Desk:
        """Return the desk of somebody of the team, or of an administrator who looks; raises NotFound."""
        code = self.kwargs.get("store_code")
        if look is None:
            return desks.load(UUID(str(self.request.user.pk)), merchant_id, code)
        looking.read_only()
        return desks.for_looks(cast(User, self.request.user), look.until, code)

    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        """Remember the merchant for the pages without a store code; nothing of a back office stays in a cache."""
        merchant_id = str(self.desk.merchant.pk)
        if self.request.session.get(MERCHANT_KEY) != merchant_id:
            self.request.session[MERCHANT_KEY] = merchant_id
        response["Cache-Control"] = "no-store, private"
        return response

    @property
    def merchant_id(self) -> UUID:
        """The merchant of the page."""
        return self.desk.merchant.pk

    @property
    def actor_id(self) -> UUID:
        """The person who acts."""
        return self.desk.user_id

    def scope(self) -> AbstractContextManager[Any]:
        """Open the merchant's scope, or stay in it."""
        if tenancy.current_merchant_id() == self.merchant_id:
            return nullcontext()
        return tenancy.scope(self.merchant_id)

    def page(self, template: str | None = None, *, status: int = 200, **context: Any) -> HttpResponse:
        """Render a template in the merchant's frame, inside the merchant's scope."""
        with self.scope():
            return self._render(template, status, context)

    def extra(self) -> dict[str, Any]:
        """Return what the page shows besides what its caller passes; runs inside the merchant's scope."""
        return {}

    def _render(self, template: str | None, status: int, context: dict[str, Any]) -> HttpResponse:
        around = frame.context(self.desk, self.request, section=self.section, chooser_to=self.chooser_to)
        own = self.extra() if template is None else {}
        with timezone.override(self.desk.time_zone):
            return render(self.request, template or self.template_name, {**around, **own, **context}, status=status)

    def to(self, name: str, *args: Any, text: str = "") -> HttpResponseRedirect:
        """Go on to another page of the dashboard, with a word for the person."""
        if text:
            messages.success(self.request, text)
        return HttpResponseRedirect(reverse(f"dashboard:{name}", args=args))

    def back(self, name: str, *args: Any, error: DomainError) -> HttpResponseRedirect:
        """Go back to a page and say there why nothing was done."""
        messages.error(self.request, error.detail)
        return HttpResponseRedirect(reverse(f"dashboard:{name}", args=args))


class StoreView(MerchantView):
    """A page of one store of a merchant; the address names it."""

    @property
    def code(self) -> str:
        """The code of the store of the address."""
        return self.store.code

    @property
    def store(self) -> Any:
        """The store of the address."""
        if self.desk.store is None:
            raise NotFound
        return self.desk.store


class FormMixin:
    """A page with a form: GET shows it, POST checks it and calls `save`; refusals stand at the fields."""

    form_class: type[BaseForm]
    request: HttpRequest
    page: Callable[..., HttpResponse]

    def get_form(self, data: Any = None) -> BaseForm:
        """Make the form, bound when there is data. A GET calls this inside the merchant's scope, a POST outside."""
        return self.form_class(data)

    def get(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the form."""
        return self.page(form=self.get_form())

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check the form and save, or show it again with what was typed."""
        form = self.get_form(self.request.POST)
        if not form.is_valid():
            return self.page(form=form, status=400)
        try:
            return self.save(form)
        except NotFound:
            raise
        except DomainError as error:
            show_error(form, error)
            return self.page(form=form, status=error.status)

    def save(self, form: Any) -> HttpResponseBase:
        """Call the one service of this page."""
        raise NotImplementedError
