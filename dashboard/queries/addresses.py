"""Complete addresses that leave the house: in QR codes, on posters, in mails."""

from django.conf import settings
from django.urls import reverse

from merchants.models import Merchant


def enroll(store_code: str) -> str:
    """Return the address of a store's enrolment page."""
    return f"{settings.SITE_URL}/loyalty/{store_code}/enroll"


def terminal(store_code: str) -> str:
    """Return the address of a store's terminal."""
    return f"{settings.SITE_URL}/store/{store_code}/loyalty/terminal"


def pairing() -> str:
    """Return the address where a device types its pairing code."""
    return f"{settings.SITE_URL}/pair"


def theme(merchant: Merchant) -> str:
    """Return the address of the merchant's colours, within this site."""
    return reverse("merchants:theme", args=[merchant.pk, merchant.branding_version])
