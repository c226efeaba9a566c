"""Models of stores."""

from stores.models.device import ApiKey, Terminal, TerminalPairing
from stores.models.staff import PinGuard, StaffPin, StaffPinStore
from stores.models.store import Store

__all__ = ["ApiKey", "PinGuard", "StaffPin", "StaffPinStore", "Store", "Terminal", "TerminalPairing"]
