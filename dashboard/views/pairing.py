"""A pairing code as pages show it: to scan with the device at the till, or to type there."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from dashboard.queries import addresses
from stores.services.terminals import PairingCode


@dataclass(frozen=True, slots=True)
class Shown:
    """What dashboard/_pairing.html shows, this once."""

    name: str
    code: str
    until: datetime
    page: str
    url: str


def shown(made: PairingCode) -> Shown:
    """Return a code in two halves, with the address to type it at and the one that holds it."""
    page = addresses.pairing()
    url = f"{page}?{urlencode({'code': made.code})}"
    return Shown(made.name, f"{made.code[:4]}-{made.code[4:]}", made.expires_at, page, url)
