"""Models of customers."""

from customers.models.customer import Consent, Customer, MagicLink
from customers.models.mail import Mail

__all__ = ["Consent", "Customer", "MagicLink", "Mail"]
