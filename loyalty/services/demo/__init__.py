"""The demo: three merchants of Luxembourg with their people and months of history, for a first look and for journeys.

shops.py: who they are. people.py: their customers. visits.py: what a card lives through, decided by the same rules as
at a till. seeding.py: writes it all, once.
"""
