"""Apple Wallet and Google Wallet, each in its own folder behind the Protocol of base.py."""
