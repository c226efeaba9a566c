"""The word in a save link: slim, signed by the service account, and short enough to arrive (pitfall 39)."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.google import new_account
from wallets.providers.errors import BrokenCredential, CannotRender, NotConfigured
from wallets.providers.google import credentials, links
from wallets.services import passes

NOW = datetime(2026, 3, 10, 12, 0, 0, 900_000, tzinfo=UTC)
ISSUER = "3388000000022222222"
DISCOVERY = "walletobjects.v1.json"


@pytest.fixture
def account() -> dict[str, Any]:
    return {**new_account(), "token_uri": "https://oauth2.googleapis.com/token"}


@pytest.fixture
def wired(settings: Any, tmp_path: Path, account: dict[str, Any]) -> dict[str, Any]:
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    settings.LOYALTY_GOOGLE_ISSUER_ID, settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ISSUER, str(path)
    settings.SITE_URL = "https://cards.example.com"
    return account


def parts(url: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Take a link apart: header, claims, what was signed, the signature."""
    assert url.startswith("https://pay.google.com/gp/v/save/")
    head, body, signature = url.rpartition("/")[2].split(".")
    return json.loads(_bytes(head)), json.loads(_bytes(body)), f"{head}.{body}".encode(), _bytes(signature)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_key(account: dict[str, Any]) -> rsa.RSAPublicKey:
    key = serialization.load_pem_private_key(account["private_key"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key()


def test_it_says_who_we_are_and_names_the_object_only(wired: dict[str, Any]) -> None:
    name = passes.google_name("c")

    header, claims, _signed, _signature = parts(links.save_url(credentials.current(), name, at=NOW))

    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert claims == {
        "iss": wired["client_email"], "aud": "google", "typ": "savetowallet", "iat": 1773144000,
        "origins": ["https://cards.example.com"], "payload": {"loyaltyObjects": [{"id": name}]},
    }  # fmt: skip
    assert type(claims["iat"]) is int


def test_google_can_verify_it_by_the_service_accounts_key(wired: dict[str, Any]) -> None:
    url = links.save_url(credentials.current(), passes.google_name("c"), at=NOW)
    _header, _claims, signed, signature = parts(url)

    public_key(wired).verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public_key(wired).verify(signature, signed + b"x", padding.PKCS1v15(), hashes.SHA256())


def test_it_is_short_enough_to_arrive_also_with_the_longest_names(wired: dict[str, Any]) -> None:
    ours = links.save_url(credentials.current(), passes.google_name("c"), at=NOW)
    longest = links.save_url(credentials.current(), f"{ISSUER}.{'c' * 100}", at=NOW)

    assert len(ours) < 800
    assert len(longest) < 1800


def test_one_that_would_be_cut_off_is_refused(wired: dict[str, Any], settings: Any) -> None:
    settings.SITE_URL = f"https://{'very-' * 200}long.example"

    with pytest.raises(CannotRender, match="1799 arrive whole"):
        links.save_url(credentials.current(), passes.google_name("c"), at=NOW)


@pytest.mark.parametrize(("site", "origin"), [
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("https://cards.example.com/below", "https://cards.example.com"),
])  # fmt: skip
def test_the_origin_is_the_sites(settings: Any, site: str, origin: str) -> None:
    settings.SITE_URL = site

    assert links.origin() == origin


def test_what_it_names_is_known_to_googles_own_description(wired: dict[str, Any]) -> None:
    from googleapiclient import discovery_cache

    folder = Path(discovery_cache.__file__).parent / "documents"
    schemas = json.loads((folder / DISCOVERY).read_text())["schemas"]
    _header, claims, _signed, _signature = parts(links.save_url(credentials.current(), passes.google_name("c"), at=NOW))

    assert set(claims["payload"]) <= set(schemas["Resources"]["properties"])
    assert set(claims["payload"]["loyaltyObjects"][0]) <= set(schemas["LoyaltyObject"]["properties"])


def test_the_key_is_parsed_once_pitfall_39(wired: dict[str, Any]) -> None:
    credentials.current()
    began = time.process_time()

    for _ in range(100):
        links.save_url(credentials.current(), f"{ISSUER}.cOpaque", at=NOW)

    # Reading the key takes about 40 ms each; a hundred of them would take four seconds.
    assert time.process_time() - began < 2


def test_another_key_in_the_file_is_used_from_then_on(wired: dict[str, Any], settings: Any) -> None:
    links.save_url(credentials.current(), f"{ISSUER}.cOpaque", at=NOW)
    other = {**new_account(), "token_uri": wired["token_uri"], "private_key_id": "second"}
    Path(settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON).write_text(json.dumps(other, indent=1))

    header, _claims, signed, signature = parts(links.save_url(credentials.current(), f"{ISSUER}.cOpaque", at=NOW))

    assert header["kid"] == "second"
    public_key(other).verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())


def test_without_an_account_there_is_no_word(settings: Any, wired: dict[str, Any], tmp_path: Path) -> None:
    settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""
    with pytest.raises(NotConfigured):
        credentials.current()
    settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = str(tmp_path / "nowhere.json")
    with pytest.raises(BrokenCredential):
        credentials.current()
