"""Loyalty: programs, cards, the ledger, stamps, points and rewards.

Owns: Program and its versions, which store runs which (StoreProgram), Reward, Card, IssuedReward, Transaction (the
ledger) with its erasable TransactionDetail, RefusedAttempt; public enrolment and the customer's card pages.
Publishes: customers.enrolled (a card was made for an address), card.changed (a card's balance, state or face changed),
program.changed, customers.recover_requested (somebody asks for the way back to a card). Hears:
card.changed (reward news); the timetable expires points and rewards, warns of it, and verifies the ledger each night.
Imports: customers, stores, merchants, core.
"""
