"""Apple Wallet: the signed package, its lint, and the push service."""
