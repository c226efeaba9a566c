"""The template tag of the wallets' badges."""

from django import template
from django.utils.translation import get_language

from core import badges

register = template.Library()


@register.simple_tag
def wallet_badge(wallet: str) -> badges.Badge | None:
    """Return the badge of "apple" or "google" in the page's language, None where our own button stays."""
    return badges.find(wallet, get_language() or "en")
