"""The platform's pages inside Django's admin: programs, merchants, analytics, and looks with a merchant's consent."""

from dashboard.admin import audit_list

__all__ = ["audit_list"]
