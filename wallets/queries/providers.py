"""Which wallets the house works with."""

from uuid import UUID

from django.conf import settings

from wallets.enums import Provider

# A wallet is in use once these say something; whether what they say is right is the provider's own question. A broken
# certificate must not make changes go by unnoted: they wait until it is mended.
NEEDED = {
    Provider.APPLE: ("LOYALTY_APPLE_PASS_TYPE_ID", "LOYALTY_APPLE_SIGNER_CERT_PATH", "LOYALTY_APPLE_SIGNER_KEY_PATH"),
    Provider.GOOGLE: ("LOYALTY_GOOGLE_ISSUER_ID", "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON"),
}


def in_use(provider: Provider, merchant_id: UUID | None = None) -> bool:
    """Tell whether a merchant's changes are for this wallet. Today all merchants share the platform's credentials."""
    return all(getattr(settings, name) for name in NEEDED[provider])
