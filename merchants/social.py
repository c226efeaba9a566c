"""Signing in with Google: what allauth asks us when somebody comes back from there.

A Google account opens an account here only where both sides have proved the address: Google says it is verified, and
here its owner has opened a link sent to it. Else whoever registered somebody's address first could wait for them, or
walk in. A second factor set up here is asked for all the same.
"""

from typing import Any, NoReturn

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.http import Http404, HttpRequest
from django.shortcuts import render

from merchants.models import User
from merchants.views import google

LONGEST_NAME = 120


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Accounts by Google: only where configured, and only for proven addresses."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Return Google where the settings name it; nothing is kept in the database."""
        if not google.is_configured():
            return []
        found: list[SocialApp] = super().list_apps(request, provider=provider, client_id=client_id)
        return found

    def get_app(self, request: HttpRequest, provider: Any, client_id: Any = None) -> SocialApp:
        """Return Google; there is no such page where it is not configured."""
        try:
            return super().get_app(request, provider, client_id=client_id)
        except SocialApp.DoesNotExist:
            raise Http404 from None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Refuse an unproven address, and tie the Google account to the account of a proven one."""
        if sociallogin.is_existing:
            return
        address = next((row.email.lower() for row in sociallogin.email_addresses if row.verified), None)
        if address is None:
            _refuse(request, "unverified")
        owner = _owner_of(address)
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            if owner != request.user:
                _refuse(request, "other")
        elif owner is not None:
            sociallogin.connect(request, owner)
        elif User.objects.filter(email=address).exists():
            _refuse(request, "unconfirmed")

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        """Fill in a new person: the address in lower case, and the name in one line."""
        user = super().populate_user(request, sociallogin, data)
        full = sociallogin.account.extra_data.get("name")
        name = full or f"{data.get('first_name') or ''} {data.get('last_name') or ''}"
        user.name = " ".join(str(name).replace("\x00", "").split())[:LONGEST_NAME]
        user.email = user.email.lower()
        return user


def _owner_of(address: str) -> User | None:
    """Return who has proved here that the address is theirs."""
    found = EmailAddress.objects.filter(email__iexact=address, verified=True).select_related("user").first()
    return found.user if found else None


def _refuse(request: HttpRequest, reason: str) -> NoReturn:
    raise ImmediateHttpResponse(render(request, "socialaccount/refused.html", {"reason": reason}, status=403))
