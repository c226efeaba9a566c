"""Reads of the wallets, and cards described for them."""
