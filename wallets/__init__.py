"""Wallets: the card as a pass on the customer's phone.

Owns: Apple and Google passes, the devices that registered for them, and the queue of pass updates.
A pass is an output format of a card; nothing of the loyalty rules is decided here.
Publishes: nothing.
Hears: changes of cards and programs, by the outbox, and turns them into one push of the current state.
Each provider has its own folder under `providers/`, behind one Protocol.
Imports loyalty, customers, stores, merchants and core; nothing imports it but dashboard and the platform.
"""
