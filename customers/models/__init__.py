"""Models of customers."""

from customers.models.customer import Consent, Customer, MagicLink

__all__ = ["Consent", "Customer", "MagicLink"]
