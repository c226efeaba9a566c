"""Complete addresses of a store that leave the house: in QR codes, on posters, in answers of the API."""

from django.conf import settings
from django.urls import reverse


def enroll(store_code: str) -> str:
    """Return the address of a store's enrolment page."""
    return f"{settings.SITE_URL}/loyalty/{store_code}/enroll"


def terminal(store_code: str) -> str:
    """Return the address of a store's terminal."""
    return f"{settings.SITE_URL}/store/{store_code}/loyalty/terminal"


def qr_code(store_code: str) -> str:
    """Return the address of the image that holds a store's enrolment address as a QR code."""
    return f"{settings.SITE_URL}{reverse('stores:qr', args=[store_code])}"


def pairing() -> str:
    """Return the address where a device types its pairing code."""
    return f"{settings.SITE_URL}/pair"
