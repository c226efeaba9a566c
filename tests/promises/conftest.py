"""What the drills share."""

import pytest
from argon2 import PasswordHasher

from stores.services import pin_hashing
from tests.support import guessing


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    """Lower the cost of argon2id, and nothing else: a day of tries is counted and a PIN space walked through."""
    hasher = guessing.cheap_hasher()
    monkeypatch.setattr(pin_hashing, "_hasher", hasher)
    monkeypatch.setattr(pin_hashing, "_NOBODY", hasher.hash(b"nobody"))
    return hasher
