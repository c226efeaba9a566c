"""Complete addresses that leave the house: in QR codes, on posters, in mails; and the merchant's style sheet."""

from django.urls import reverse

from merchants.models import Merchant
from stores.queries.addresses import enroll, pairing, terminal

__all__ = ["enroll", "pairing", "terminal", "theme"]


def theme(merchant: Merchant) -> str:
    """Return the address of the merchant's colours, within this site."""
    return reverse("merchants:theme", args=[merchant.pk, merchant.branding_version])
