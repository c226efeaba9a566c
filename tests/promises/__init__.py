"""Drills of the promises that cut across the apps; docs/promises.md names them by number."""
