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
