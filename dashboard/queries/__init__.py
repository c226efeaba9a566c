"""Reads for the back office."""
