"""What follows a sign-up: the mail that confirms the address, and the same page for a known and an unknown one."""

from allauth.account.internal.flows import signup
from allauth.account.utils import setup_user_email
from django.http import HttpRequest, HttpResponse

from merchants.models import User

NEXT = "/store/onboarding/1"


def after_sign_up(request: HttpRequest, *, email: str, user: User | None) -> HttpResponse:
    """Write to the address and show "look into your mail" (allauth's page).

    A new person gets a link that confirms the address and goes on with the onboarding; a known one (user is None) gets
    the mail that they have an account. The two answers are alike.
    """
    if user is None:
        return signup.prevent_enumeration(request, email=email)
    setup_user_email(request, user, [])
    return signup.complete_signup(request, user=user, redirect_url=NEXT)
