"""Google's token endpoint: takes a service account's signed assertion and gives an access token for an hour."""

import base64
import json
import secrets
import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
LONGEST_LIFE, SKEW, LIFE = 3600, 60, 3599


class Tokens:
    """The tokens of one service account. `given` counts them; `revoked` refuses the account; `skew` turns the clock."""

    def __init__(self, account: dict[str, Any]) -> None:
        key = load_pem_private_key(account["private_key"].encode(), password=None)
        assert isinstance(key, RSAPrivateKey)
        self.account, self.public = account, key.public_key()
        self.given, self.revoked, self.skew, self.life = 0, False, 0.0, LIFE
        self._tokens: dict[str, float] = {}

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer a request for a token."""
        if form.get("grant_type") != GRANT:
            return 400, {"error": "unsupported_grant_type"}
        fault = self._fault(form.get("assertion", ""))
        if fault:
            return 400, {"error": "invalid_grant", "error_description": fault}
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.time() + self.life
        self.given += 1
        return 200, {"access_token": token, "expires_in": self.life, "token_type": "Bearer"}

    def valid(self, header: str) -> bool:
        """Tell whether an Authorization header bears one of our tokens."""
        kind, _, token = header.partition(" ")
        return kind == "Bearer" and self._tokens.get(token, 0) > time.time()

    def forget(self) -> None:
        """Let every token end before its time."""
        self._tokens.clear()

    def _fault(self, assertion: str) -> str:
        try:
            head, claims, signature = assertion.split(".")
            header, said = _decoded(head), _decoded(claims)
            self.public.verify(_bytes(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return "Invalid JWT Signature."
        except (ValueError, KeyError):
            return "Invalid JWT."
        now, account = time.time() + self.skew, self.account
        if self.revoked or said.get("iss") != account["client_email"] or header.get("kid") != account["private_key_id"]:
            return "Invalid grant: account not found"
        if header.get("alg") != "RS256" or said.get("aud") != account["token_uri"] or said.get("scope") != SCOPE:
            return "Invalid JWT: alg, aud or scope."
        begins, ends = said.get("iat"), said.get("exp")
        if not isinstance(begins, int) or not isinstance(ends, int) or ends - begins > LONGEST_LIFE:
            return "Invalid JWT: iat and exp must be whole seconds, an hour apart at most."
        in_time = begins - SKEW <= now <= ends
        return "" if in_time else "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe."


def _decoded(part: str) -> dict[str, Any]:
    return dict(json.loads(_bytes(part)))


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
