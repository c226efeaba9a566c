"""Models of loyalty."""

from loyalty.models.card import Card
from loyalty.models.ledger import RefusedAttempt, Transaction, TransactionDetail
from loyalty.models.merge import CardMerge
from loyalty.models.program import Program, ProgramVersion, StoreProgram
from loyalty.models.review import ReviewItem
from loyalty.models.reward import IssuedReward, Reward

__all__ = [
    "Card",
    "CardMerge",
    "IssuedReward",
    "Program",
    "ProgramVersion",
    "RefusedAttempt",
    "ReviewItem",
    "Reward",
    "StoreProgram",
    "Transaction",
    "TransactionDetail",
]
