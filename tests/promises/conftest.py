"""What the drills share."""

import pytest
from argon2 import PasswordHasher, Type

from stores.services import pin_hashing


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    """Lower the cost of argon2id, and nothing else: a day of tries is counted and a PIN space walked through."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
    monkeypatch.setattr(pin_hashing, "_hasher", hasher)
    monkeypatch.setattr(pin_hashing, "_NOBODY", hasher.hash(b"nobody"))
    return hasher
