"""The link of an invitation: who holds it joins the team, with a new account or the one they have.

Opening the link changes nothing (mail scanners open links, too); joining is a form.
"""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.account.internal.flows import signup
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from core import throttling
from core.errors import DomainError, Throttled
from core.middleware import fall_back
from core.web import counted_address
from merchants.forms import NewPersonForm
from merchants.queries import invitations as invitation_queries
from merchants.queries.invitations import InvitationGone, Offer
from merchants.services import invitations
from merchants.services.invitations import AccountExists, Joined, WrongAccount
from merchants.views.google import may_lead_to_google

# Where a person's pages are, and where the session keeps which merchant they are about.
NEXT, MERCHANT_KEY = "/store/", "merchant"
TRIES, PERIOD = 30, 3600


@method_decorator([never_cache, may_lead_to_google], name="dispatch")
class InvitationView(View):
    """The page behind the link. What it shows depends on who looks: see templates/merchants/invitation.html."""

    http_method_names = ["get", "head", "post"]
    offer: Offer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Read the offer; a link that no longer works gets a page that says so."""
        self.token = kwargs["token"]
        try:
            self.offer = invitation_queries.offer(self.token, at=timezone.now())
            fall_back(request, self.offer.language)
            return super().dispatch(request, *args, **kwargs)
        except InvitationGone as gone:
            return render(request, "merchants/invitation_gone.html", status=gone.status)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show who invites to what, and the next step."""
        return self._page(NewPersonForm(email=self.offer.email))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Join."""
        try:
            self._count_try()
            return self._join_signed_in() if request.user.is_authenticated else self._join_new()
        except InvitationGone:
            raise
        except (WrongAccount, AccountExists) as error:
            return self._page(NewPersonForm(email=self.offer.email), status=error.status)
        except DomainError as error:
            form = NewPersonForm(request.POST, email=self.offer.email)
            form.add_error(None, error.detail)
            return self._page(form, status=error.status)

    def _join_signed_in(self) -> HttpResponseBase:
        joined = invitations.accept(token=self.token, user=self.request.user, at=timezone.now())  # type: ignore[arg-type]
        self._welcome(joined)
        return HttpResponseRedirect(NEXT)

    def _join_new(self) -> HttpResponseBase:
        if self._state() != "new":
            raise AccountExists
        form = NewPersonForm(self.request.POST, email=self.offer.email)
        if not form.is_valid():
            return self._page(form, status=400)
        joined = invitations.accept_as_new(
            token=self.token, language=get_language() or "", at=timezone.now(), **form.cleaned_data
        )
        response: HttpResponse = signup.complete_signup(self.request, user=joined.user, redirect_url=NEXT)
        self._welcome(joined)
        return response

    def _welcome(self, joined: Joined) -> None:
        self.request.session[MERCHANT_KEY] = str(joined.merchant_id)
        text = (
            _("You are in the team of %(name)s already.") if joined.already else _("Welcome to the team of %(name)s.")
        )
        messages.success(self.request, text % {"name": self.offer.merchant_name})

    def _state(self) -> str:
        """Return who looks: the invited one signed in (join), somebody else (other), or nobody (new, sign_in)."""
        user = self.request.user
        if user.is_authenticated:
            return "join" if invitations.owns(user, self.offer.email) else "other"
        return "new" if invitation_queries.account_of(self.offer.email) is None else "sign_in"

    def _count_try(self) -> None:
        if not throttling.allow(f"join:{counted_address(self.request)}", limit=TRIES, period=PERIOD):
            raise Throttled(retry_after=throttling.seconds_left(PERIOD))

    def _page(self, form: NewPersonForm, status: int = 200) -> HttpResponse:
        state = self._state()
        user_id = self.request.user.pk
        already = state == "join" and UUID(str(user_id)) in invitation_queries.team_ids(self.offer.merchant_id)
        context = {"offer": self.offer, "state": state, "form": form, "already": already, "here": self.request.path}
        with timezone.override(ZoneInfo(self.offer.time_zone)):
            return render(self.request, "merchants/invitation.html", context, status=status)
