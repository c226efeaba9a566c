"""Access tokens: a signed assertion of the service account is exchanged at its token_uri, and kept until it ages."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import requests
from google.auth import jwt

from wallets.providers.base import Answer, Verdict
from wallets.providers.google.credentials import ServiceAccount

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE_SECONDS = 3600
RENEW_BEFORE_SECONDS = 300
TIMEOUT = (3.05, 5)
QUIET_SECONDS = 1.0
REASON_LENGTH = 500


class NoToken(Exception):
    """No token was given; `answer` says whether that passes."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.reason)


@dataclass(frozen=True, slots=True)
class _Held:
    text: str
    until: float


class TokenSource:
    """The tokens of one account. Threads that need a new one wait for the first; after a fault all of them hear it."""

    def __init__(self, account: ServiceAccount, session: requests.Session) -> None:
        self._account, self._session = account, session
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._fault: tuple[float, Answer] | None = None

    def token(self) -> str:
        """Return a valid token; raises NoToken."""
        with self._lock:
            now = time.monotonic()
            if self._held is not None and now < self._held.until:
                return self._held.text
            if self._fault is not None and now < self._fault[0]:
                raise NoToken(self._fault[1])
            self._held = None
            try:
                self._held = self._exchange()
            except NoToken as error:
                self._fault = (time.monotonic() + QUIET_SECONDS, error.answer)
                raise
            self._fault = None
            return self._held.text

    def drop(self, token: str) -> None:
        """Forget a token that was refused, unless there is another one by now."""
        with self._lock:
            if self._held is not None and self._held.text == token:
                self._held = None

    def assertion(self) -> str:
        """Return the signed assertion that is exchanged for a token."""
        now, account = int(time.time()), self._account
        claims = {
            "iss": account.email, "aud": account.token_uri, "scope": SCOPE, "iat": now, "exp": now + LIFE_SECONDS,
        }  # fmt: skip
        return str(jwt.encode(account.signer, claims).decode())  # type: ignore[no-untyped-call]

    def _exchange(self) -> _Held:
        form = {"grant_type": GRANT, "assertion": self.assertion()}
        try:
            response = self._session.post(self._account.token_uri, data=form, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise NoToken(Answer(Verdict.RETRY, f"token: {type(error).__name__}")) from error
        given = _json(response)
        token, seconds = given.get("access_token"), given.get("expires_in", LIFE_SECONDS)
        if response.status_code == 200 and isinstance(token, str) and token:
            life = seconds if isinstance(seconds, int) else LIFE_SECONDS
            return _Held(token, time.monotonic() + max(life - RENEW_BEFORE_SECONDS, life / 2))
        raise NoToken(_refusal(response, given))


def _refusal(response: requests.Response, given: dict[str, Any]) -> Answer:
    words = " ".join(str(given[key]) for key in ("error", "error_description") if given.get(key))
    status = response.status_code
    passes = status in (408, 429) or status >= 500 or status < 400
    verdict = Verdict.RETRY if passes else Verdict.BLOCKED
    return Answer(verdict, f"token: {words or response.text}"[:REASON_LENGTH], status)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
