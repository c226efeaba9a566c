"""Compositions of services for the pages that do one thing in several apps at once."""
