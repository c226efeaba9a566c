"""The rollups: what reports read instead of the ledger."""

from dashboard.models.rollups import DayBalance, DayFigures, FirstReward, Presence, RollupState

__all__ = ["DayBalance", "DayFigures", "FirstReward", "Presence", "RollupState"]
