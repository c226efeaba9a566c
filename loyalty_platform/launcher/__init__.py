"""The launcher of `make run`: embedded PostgreSQL and Valkey, roles, preparation, and the processes of the Procfile.

Owns: `var/` (databases, logs, secrets, run.json) and every process it starts.
`setup.py` makes the virtual environment and needs the standard library only; the rest runs inside it.
The test suite starts its own servers with the same classes.
Hears: nothing; imports nothing of the apps.
"""
