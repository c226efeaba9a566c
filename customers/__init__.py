"""Customers: people as one merchant knows them. Each merchant is its own data controller.

Owns: Customer, Consent (append-only evidence), MagicLink; mails to customers.
Publishes: nothing yet. Hears: customers.enrolled (mails the confirmation or "you already have a card") and
customers.recover_requested (mails the way back to a card).
Imports: stores, merchants, core.
"""
