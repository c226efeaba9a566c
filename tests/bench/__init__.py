"""`make bench`: how fast a stamp is over HTTP, as a ratio to plain SQL that does the same on the same machine.

stage.py: own servers, the load, gunicorn. clients.py: connections that stamp. plain.py: pgbench. __main__.py: rounds of
both in turns, and what they say.
"""
