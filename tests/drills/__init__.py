"""Drills: each promise of docs/promises.md that load and faults could break, tried on the whole product.

`make drill` starts a stack of its own as `make run` does (PostgreSQL that waits for the disk, Valkey, several web
processes, workers, the fakes of Apple and Google), runs every `promise_NN_*.py` of this folder, holds all ledgers
against their cards after each, and prints a line per promise with its figure. `make drill SHORT=1` is a short form,
`make drill DRILLS="3 5"` runs some of them.
"""
