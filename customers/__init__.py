"""Customers: people as one merchant knows them. Each merchant is its own data controller.

Owns: Customer, Consent (append-only evidence), MagicLink; mails to customers.
Publishes: nothing yet. Hears: customers.enrolled (sends the confirmation or "you already have a card" mail).
Imports: stores, merchants, core.
"""
