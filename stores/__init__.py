"""Stores: the places where cards are shown, and how a till or a person there proves itself.

Owns: Store, StaffPin and PIN guards, Terminal and its pairing, ApiKey; the Access of a request (who calls, for which
store). Publishes: nothing yet. Hears: nothing yet.
Imports: merchants, core.
"""
