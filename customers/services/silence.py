"""When a merchant may not write: late with the bill, suspended or closed, or stopped by the platform (rule 5)."""

from uuid import UUID

from merchants.enums import MerchantStatus
from merchants.models import Merchant, MerchantSettings

SILENT = frozenset({MerchantStatus.LATE, MerchantStatus.SUSPENDED, MerchantStatus.CLOSED})


def holds(*, merchant_id: UUID) -> bool:
    """Tell whether the merchant's messages are stopped; in an open scope.

    Links that a person asked for themselves go all the same: nobody loses a card over somebody else's bill.
    """
    if Merchant.objects.filter(pk=merchant_id, status__in=SILENT).exists():
        return True
    return bool(MerchantSettings.objects.filter(merchant_id=merchant_id, messages_suspended=True).exists())
