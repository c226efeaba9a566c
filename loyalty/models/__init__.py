"""Models of loyalty."""

from loyalty.models.card import Card
from loyalty.models.ledger import RefusedAttempt, Transaction, TransactionDetail
from loyalty.models.program import Program, ProgramVersion, StoreProgram
from loyalty.models.reward import IssuedReward, Reward

__all__ = [
    "Card",
    "IssuedReward",
    "Program",
    "ProgramVersion",
    "RefusedAttempt",
    "Reward",
    "StoreProgram",
    "Transaction",
    "TransactionDetail",
]
