"""The ground floor: what every app stands on and none owns.

Owns: tenancy (scopes, policies, composite keys), outbox and relay, idempotency records, audit entries,
problem+json errors, ids, money, throttling, the API base classes.
Publishes: nothing of its own. Hears: nothing.
Knows no trade words and no other app; every other app may import it.
"""
