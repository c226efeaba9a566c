"""The merchant API in tests: whole addresses below /api/v1/merchant, and what a refusal names."""

from typing import Any

from core import tenancy
from core.models import IdempotencyRecord

BASE = "http://testserver/api/v1/merchant"


def at(path: str = "") -> str:
    """Return the complete address of a path of the merchant API."""
    return f"{BASE}/{path}" if path else BASE


def named(answer: Any) -> list[tuple[str, str]]:
    """Return the fields and codes that a validation error names."""
    assert answer.status_code == 400, answer.content
    body = answer.json()
    assert body["code"] == "validation_error"
    return [(problem["field"], problem["code"]) for problem in body["errors"]]


def kept(merchant: Any, key: str) -> str:
    """Return what is stored under an Idempotency-Key."""
    with tenancy.scope(merchant):
        return str(IdempotencyRecord.objects.get(key=key).body)
