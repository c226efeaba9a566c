"""Customers: people as one merchant knows them. Each merchant is its own data controller.

Owns: Customer, Consent (append-only evidence), MagicLink, Mail (the one way mails leave).
Publishes: customers.mail_queued, customers.erased (all that is personal is gone by then; higher apps take part in the
erasure itself, by customers.extensions). Hears: customers.enrolled (queues the confirmation or "you already have a
card"), customers.address_typed (queues the confirmation of a new address), customers.recover_requested (queues the
way back to a card) and customers.mail_queued (sends).
Imports: stores, merchants, core.
"""
