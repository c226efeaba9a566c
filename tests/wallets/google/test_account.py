"""The service account: read once, read again when its file changes, and every fault of it named."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.google import FakeGoogle
from tests.wallets.google.test_mapping import class_of
from wallets.providers.base import Verdict
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.providers.google import client, credentials
from wallets.providers.google.client import CLASS
from wallets.providers.google.provider import GOOGLE


def pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def rewrite(path: Path, **changes: Any) -> None:
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1_000_000))


@pytest.fixture
def file(google: FakeGoogle, settings: Any) -> Path:
    return Path(settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON)


def test_pitfall_39_the_key_is_parsed_once(file: Path) -> None:
    assert credentials.current().signer is credentials.current().signer
    assert GOOGLE.configured()
    assert GOOGLE.problems() == []


def test_a_changed_file_is_read_again(file: Path) -> None:
    before = credentials.current()
    rewrite(file, private_key=pem(rsa.generate_private_key(65537, 2048)), private_key_id="new")

    after = credentials.current()

    assert (after.key_id, after.fingerprint != before.fingerprint) == ("new", True)
    assert client.connect(after) is not client.connect(before)


@pytest.mark.parametrize("name", ["LOYALTY_GOOGLE_ISSUER_ID", "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON"])
def test_what_is_missing_is_named(file: Path, settings: Any, name: str) -> None:
    setattr(settings, name, "")

    with pytest.raises(NotConfigured, match=name):
        credentials.current()
    assert [(one.code, one.setting) for one in GOOGLE.problems()] == [("missing", name)]
    assert not GOOGLE.configured()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "authorized_user"}, "service_account"), ({"client_email": None}, "client_email"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----"}, "private_key"), ({"token_uri": "nowhere"}, "token_uri"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "RSA"),
        ({"private_key_id": 5}, "private_key_id"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_apart(file: Path, changes: dict[str, Any], words: str) -> None:
    rewrite(file, **changes)

    with pytest.raises(BrokenCredential, match=words):
        credentials.current()
    assert [one.code for one in credentials.problems()] == ["broken"]


def test_a_file_that_is_none(file: Path, settings: Any) -> None:
    file.write_text("no json")
    with pytest.raises(BrokenCredential, match="not JSON"):
        credentials.current()
    settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = str(file.parent / "missing.json")
    with pytest.raises(BrokenCredential, match="cannot be read"):
        credentials.current()
    settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON, settings.LOYALTY_GOOGLE_ISSUER_ID = str(file), "my-issuer"
    with pytest.raises(BrokenCredential, match="digits"):
        credentials.current()


def test_no_secret_is_shown(file: Path) -> None:
    assert "PRIVATE" not in repr(credentials.current())


def test_one_token_serves_many_requests(google: FakeGoogle) -> None:
    connected = client.connect(credentials.current())
    body = class_of()

    assert [connected.get(CLASS, body["id"]).answer.status for _ in range(3)] == [404] * 3
    assert connected.insert(CLASS, body).accepted
    assert connected.insert(CLASS, body).exists
    assert google.tokens.given == 1


def test_a_clock_that_is_off_is_a_refusal_with_googles_words(google: FakeGoogle) -> None:
    google.tokens.skew = 7200

    answer = client.connect(credentials.current()).get(CLASS, "3388000000022222222.p").answer

    assert answer.verdict is Verdict.BLOCKED
    assert "short-lived" in answer.reason


@pytest.mark.parametrize(
    ("status", "words", "verdict"),
    [
        (200, "{}", Verdict.ACCEPTED), (200, "<html>", Verdict.RETRY), (302, "", Verdict.RETRY),
        (400, "bad", Verdict.REFUSED), (401, "", Verdict.BLOCKED), (403, "permissionDenied", Verdict.BLOCKED),
        (403, "rateLimitExceeded", Verdict.RETRY), (403, "quotaExceeded", Verdict.RETRY), (404, "", Verdict.REFUSED),
        (409, "", Verdict.REFUSED), (413, "", Verdict.REFUSED), (429, "", Verdict.RETRY), (500, "", Verdict.RETRY),
        (503, "", Verdict.RETRY),
    ],
)  # fmt: skip
def test_every_answer_is_judged(status: int, words: str, verdict: Verdict) -> None:
    assert client.judge(response(status, words)).answer.verdict is verdict


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("99999", 300.0), ("soon", None), ("-3", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_how_long_to_wait(header: str, seconds: float | None) -> None:
    answer = response(429, "")
    answer.headers["Retry-After"] = header

    assert client.judge(answer).answer.retry_after == seconds


def response(status: int, words: str) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, words.encode()
    return made
