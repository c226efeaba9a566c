"""Programs, rewards, cards and the ledger in the platform's admin. Balances and ledger are looked at, never edited."""

from loyalty.admin import cards, exports, ledger, programs

__all__ = ["cards", "exports", "ledger", "programs"]
