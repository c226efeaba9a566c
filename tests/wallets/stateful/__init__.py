"""The invariants of the wallets over random interleavings of everything that can happen at once."""
