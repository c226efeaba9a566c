"""Models of merchants."""

from merchants.models.merchant import Invitation, Membership, Merchant, MerchantSettings
from merchants.models.support import SupportConsent
from merchants.models.tenant import TenantModel
from merchants.models.user import User

__all__ = ["Invitation", "Membership", "Merchant", "MerchantSettings", "SupportConsent", "TenantModel", "User"]
