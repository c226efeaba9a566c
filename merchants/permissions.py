"""Who may do what, by role and by scope, in one place: pure facts, no database."""

from merchants.enums import Role

# Scopes of API keys, and what a role of a person amounts to in the same words.
READ, EARN, REDEEM, MANAGE = "read", "earn", "redeem", "manage"
SCOPES = (READ, EARN, REDEEM, MANAGE)

ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(SCOPES),
    Role.MANAGER: frozenset(SCOPES),
    Role.STAFF: frozenset({READ, EARN, REDEEM}),
}
# A paired terminal is a till: it gives, looks up and redeems. What a manager does needs a manager.
TERMINAL_SCOPES = frozenset({READ, EARN, REDEEM})
# A customer's own phone, with a staff member's PIN typed on it, where the store allows it.
OWN_DEVICE_SCOPES = frozenset({EARN})

# What the merchant API and the back office are divided into, and which roles may use each part. An API key needs the
# scope `manage` for any of them; what is for owners alone it may only in an owner's stead (the full export), or never.
PROFILE, STORES, CUSTOMERS, TEAM, TERMINALS = "profile", "stores", "customers", "team", "terminals"
API_KEYS, SETTINGS, ANALYTICS = "api_keys", "settings", "analytics"
BILLING, CLOSE_MERCHANT, OWNER_ROLES, FULL_EXPORT = "billing", "close_merchant", "owner_roles", "full_export"
# To let the platform's people look into the back office, and to end that.
SUPPORT_LOOKS = "support_looks"

_MANAGERS = frozenset({Role.OWNER, Role.MANAGER})
_OWNERS = frozenset({Role.OWNER})
RIGHTS: dict[str, frozenset[str]] = {
    PROFILE: _MANAGERS,
    STORES: _MANAGERS,
    CUSTOMERS: _MANAGERS,
    TEAM: _MANAGERS,
    TERMINALS: _MANAGERS,
    API_KEYS: _MANAGERS,
    SETTINGS: _MANAGERS,
    ANALYTICS: _MANAGERS,
    BILLING: _OWNERS,
    CLOSE_MERCHANT: _OWNERS,
    OWNER_ROLES: _OWNERS,
    FULL_EXPORT: _OWNERS,
    SUPPORT_LOOKS: _OWNERS,
}
# The owners' rights that a key with `manage` carries when it goes back to an owner.
RIGHTS_OF_OWNERS_KEYS = frozenset({FULL_EXPORT})


def has_right(role: str, right: str) -> bool:
    """Tell whether a role has a right; nobody has one that is not in the table."""
    return role in RIGHTS.get(right, frozenset())


def key_has_right(role_behind: str, right: str) -> bool:
    """Tell whether a key with the scope `manage` has a right; role_behind: that of the person it goes back to."""
    in_an_owners_stead = right in RIGHTS_OF_OWNERS_KEYS and has_right(role_behind, right)
    return has_right(Role.MANAGER, right) or in_an_owners_stead
