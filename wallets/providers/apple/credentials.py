"""The credentials for Apple Wallet: parsed once per process, and again when one of their files changes.

Parsing the key costs more than a hundred signatures (it is validated), so nobody else loads these files.
"""

import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from wallets.providers.apple import inspection
from wallets.providers.apple.inspection import Configuration, Credential
from wallets.providers.base import Problem
from wallets.providers.errors import BrokenCredential, NotConfigured

__all__ = ["Credential", "configured", "current", "problems"]

NAMES = (
    inspection.PASS_TYPE,
    inspection.TEAM,
    inspection.WWDR_PATH,
    inspection.CERT_PATH,
    inspection.KEY_PATH,
)
# Certificate and key are replaced one after the other; meanwhile they do not fit, and the old pair still signs.
SWAP_SECONDS = 60

Stamp = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the files held when they bore a stamp; `fallback` is the credential before them, while they are swapped."""

    stamp: Stamp
    credential: Credential | None
    problems: tuple[Problem, ...]
    loaded_at: float
    fallback: Credential | None = None


_lock = threading.Lock()
_state: dict[str, _Loaded] = {}


def current(merchant_id: UUID | None = None) -> Credential:
    """Return the credential that signs a merchant's passes; today all merchants share the platform's.

    Raises NotConfigured when settings are missing, BrokenCredential with the exact fault when it cannot be used.
    """
    loaded = _loaded(_configuration())
    faults = [problem for problem in loaded.problems if problem.fatal]
    found = loaded.credential if not faults else None
    if found is None:
        if loaded.fallback is not None and time.monotonic() - loaded.loaded_at < SWAP_SECONDS:
            return loaded.fallback
        raise BrokenCredential(" ".join(problem.detail for problem in faults))
    now = datetime.now(UTC)
    if not found.not_before <= now <= found.usable_until:
        raise BrokenCredential(" ".join(problem.detail for problem in inspection.out_of_date(found, now)))
    return found


def configured(merchant_id: UUID | None = None) -> bool:
    """Tell whether passes can be signed now."""
    try:
        current(merchant_id)
    except (NotConfigured, BrokenCredential):
        return False
    return True


def problems(merchant_id: UUID | None = None) -> list[Problem]:
    """Return everything that is missing or wrong, all at once; [] when passes can be signed."""
    try:
        loaded = _loaded(_configuration())
    except NotConfigured:
        return [Problem("not_configured", name, f"{name} is not set.") for name in NAMES if not getattr(settings, name)]
    found = list(loaded.problems)
    if loaded.credential is not None:
        found += inspection.out_of_date(loaded.credential, datetime.now(UTC))
    return found


def _configuration() -> Configuration:
    values = [str(getattr(settings, name)) for name in NAMES]
    if not all(values):
        missing = ", ".join(name for name, value in zip(NAMES, values, strict=True) if not value)
        raise NotConfigured(f"Not set: {missing}.")
    return Configuration(*values)


def _loaded(wanted: Configuration) -> _Loaded:
    stamp = _stamp(wanted)
    known = _state.get("platform")
    if known is not None and known.stamp == stamp:
        return known
    with _lock:
        known = _state.get("platform")
        if known is not None and known.stamp == stamp:
            return known
        credential, found = inspection.inspect(wanted)
        broken = credential is None or any(problem.fatal for problem in found)
        fallback = _last_good(known, wanted) if broken else None
        fresh = _Loaded(stamp, credential, tuple(found), time.monotonic(), fallback)
        # A file that changed while it was read is read again by the next caller: its stamp is of before the reading.
        _state["platform"] = fresh
        return fresh


def _last_good(known: _Loaded | None, wanted: Configuration) -> Credential | None:
    """Return the credential in use before the files changed; other settings are another credential at once."""
    if known is None or known.stamp[0] != wanted:
        return None
    usable = known.credential is not None and not any(problem.fatal for problem in known.problems)
    return known.credential if usable else known.fallback


def _stamp(wanted: Configuration) -> Stamp:
    paths = (wanted.intermediates_path, wanted.certificate_path, wanted.key_path)
    return (wanted, *(_file_stamp(path) for path in paths))


def _file_stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - three times per pass: a Path costs more than the question
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
