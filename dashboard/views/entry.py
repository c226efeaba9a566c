"""The ways in: the landing page, sign-up, the choice of a store, and addresses without a store code."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from core import throttling
from core.errors import DomainError, Throttled
from core.web import counted_address
from dashboard.forms.base import show_error
from dashboard.forms.signup import BusinessForm, SignupForm
from dashboard.queries import desks
from dashboard.services import onboarding
from dashboard.views.base import LoginNeeded
from merchants.views.accounts import after_sign_up
from merchants.views.google import may_lead_to_google
from stores.services import signup

SIGNUPS_PER_HOUR = 20
HOUR = 3600


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Show what this is, with the way to sign up."""
    return render(request, "dashboard/landing.html")


@method_decorator(may_lead_to_google, name="dispatch")
class Signup(View):
    """Five fields. Whether the address is known shows in the mail only."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Show the form; who has a business already goes there."""
        if request.user.is_authenticated and desks.merchants_of(UUID(str(request.user.pk))):
            return HttpResponseRedirect(reverse("dashboard:choose"))
        return self._show(request, self._form(request))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Open the business."""
        form = self._form(request, request.POST)
        if not form.is_valid():
            return self._show(request, form, status=400)
        try:
            return self._open(request, form)
        except DomainError as error:
            show_error(form, error)
            return self._show(request, form, status=error.status)

    def _form(self, request: HttpRequest, data: Any = None) -> BusinessForm:
        return (BusinessForm if request.user.is_authenticated else SignupForm)(data)

    def _open(self, request: HttpRequest, form: BusinessForm) -> HttpResponseBase:
        where = f"signup:{counted_address(request)}"
        if not throttling.allow(where, limit=SIGNUPS_PER_HOUR, period=HOUR):
            raise Throttled(retry_after=throttling.seconds_left(HOUR))
        data = {**form.cleaned_data, "language": get_language() or "en", "at": timezone.now()}
        if request.user.is_authenticated:
            signup.open_business(user=request.user, **data)
            return HttpResponseRedirect(reverse("dashboard:onboarding", args=[1]))
        made = signup.sign_up(**data)
        return after_sign_up(request, email=form.cleaned_data["email"], user=made.user)

    def _show(self, request: HttpRequest, form: BusinessForm, status: int = 200) -> HttpResponse:
        response = render(request, "dashboard/signup.html", {"form": form}, status=status)
        response["Cache-Control"] = "no-store, private"
        return response


class Choose(LoginNeeded, View):
    """`/store/`: the person's only store, else a choice, else the way to a first one."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Redirect when there is nothing to choose."""
        places = desks.stores_of(UUID(str(request.user.pk)))
        if not places:
            return render(request, "dashboard/no_store.html")
        found = [(desk, store) for desk in places for store in desk.stores]
        if len(places) == 1 and places[0].may_manage and places[0].merchant.onboarding_step <= onboarding.READY:
            return HttpResponseRedirect(reverse("dashboard:onboarding_start"))
        if len(found) == 1:
            return HttpResponseRedirect(reverse("dashboard:home", args=[found[0][1].code]))
        if not found and places[0].may_manage:
            return HttpResponseRedirect(reverse("dashboard:stores"))
        return render(request, "dashboard/choose.html", {"places": places, "rest": "", "title": _("Choose a store")})


class WithoutCode(LoginNeeded, View):
    """`/store/loyalty/…` without a code: the same page of the person's own store, or a choice of stores."""

    def get(self, request: HttpRequest, rest: str = "") -> HttpResponseBase:
        """Go to the own store."""
        places = desks.stores_of(UUID(str(request.user.pk)))
        codes = [store.code for desk in places for store in desk.stores]
        if not codes:
            raise Http404
        if len(codes) == 1:
            return HttpResponseRedirect(f"{reverse('dashboard:home', args=codes)}{rest}")
        return render(request, "dashboard/choose.html", {"places": places, "rest": rest, "title": _("Choose a store")})


class ToHome(LoginNeeded, View):
    """`/store/<code>`: the store's home."""

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Go there; an unknown code is 404 there."""
        return HttpResponseRedirect(reverse("dashboard:home", args=[store_code]))


class Nowhere(LoginNeeded, View):
    """No page of ours: 404, once one is signed in."""

    def get(self, request: HttpRequest, rest: str) -> HttpResponseBase:
        """Say that there is nothing here."""
        raise Http404
