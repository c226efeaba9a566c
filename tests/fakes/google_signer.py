"""Google's part in callbacks: signs messages by ECv2SigningOnly and serves its own root keys over real HTTP.

Everything that a message says or is signed with can be set, so that each way of being wrong can be sent.
"""

import base64
import json
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PROTOCOL = "ECv2SigningOnly"
SENDER = "GooglePayPasses"


def millis(at: datetime) -> str:
    """Return an instant as Google writes it in keys."""
    return str(int(at.timestamp() * 1000))


def spki(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a key's public half as Google writes it."""
    form = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(form).decode()


def sign(key: ec.EllipticCurvePrivateKey, *parts: str, in_characters: bool = False) -> str:
    """Sign texts, each behind its length in bytes; in_characters: with the mistake of other signers."""
    signed = b""
    for part in parts:
        encoded = part.encode()
        signed += (len(part) if in_characters else len(encoded)).to_bytes(4, "little") + encoded
    return base64.b64encode(key.sign(signed, ec.ECDSA(SHA256()))).decode()


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Signer:
    """Google with one root key and one intermediate key. `at` is its clock."""

    issuer_id: str
    at: datetime
    root: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    intermediate: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    lives: timedelta = timedelta(days=7)

    def root_keys(self, **changes: Any) -> dict[str, Any]:
        """Return the document of root keys; changes: of the one key of our protocol."""
        other = {"keyValue": spki(new_key()), "protocolVersion": "ECv1"}
        own = {"keyValue": spki(self.root), "protocolVersion": PROTOCOL,
               "keyExpiration": millis(self.at + self.lives)}  # fmt: skip
        return {"keys": [other, {**own, **changes}]}

    def intermediate_key(
        self, *, expires_at: datetime | None = None, sender: str = SENDER,
        root: ec.EllipticCurvePrivateKey | None = None, key: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Return the intermediate key with its signature by the root key."""
        ends = millis(expires_at or self.at + self.lives)
        signed = json.dumps({"keyExpiration": ends, "keyValue": key or spki(self.intermediate)})
        return {"signedKey": signed, "signatures": [sign(root or self.root, sender, PROTOCOL, signed)]}

    def says(self, event: str, object_id: str, **changes: Any) -> str:
        """Return the text of a message; changes: of its members, None leaves one out."""
        facts = {
            "classId": f"{self.issuer_id}.pclass", "objectId": object_id, "eventType": event,
            "expTimeMillis": int(millis(self.at + timedelta(hours=1))), "count": 1, "nonce": secrets.token_urlsafe(16),
            **changes,
        }  # fmt: skip
        return json.dumps({name: value for name, value in facts.items() if value is not None}, ensure_ascii=False)

    def envelope(
        self, text: str, *, sender: str = SENDER, recipient: str | None = None, protocol: str = PROTOCOL,
        intermediate: dict[str, Any] | None = None, key: ec.EllipticCurvePrivateKey | None = None,
        in_characters: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Return a signed message as it is posted."""
        whom = self.issuer_id if recipient is None else recipient
        signature = sign(key or self.intermediate, sender, whom, protocol, text, in_characters=in_characters)
        return {
            "signature": signature, "intermediateSigningKey": intermediate or self.intermediate_key(),
            "protocolVersion": protocol, "signedMessage": text,
        }  # fmt: skip

    def message(self, event: str, object_id: str, **changes: Any) -> bytes:
        """Return a whole good message; changes: of what it says."""
        return json.dumps(self.envelope(self.says(event, object_id, **changes))).encode()


class KeyServer:
    """Serves a signer's root keys; counts how often it was asked. Use it as a context manager."""

    def __init__(self, signer: Signer) -> None:
        self.signer, self.asked = signer, 0
        self.status, self.body, self.headers = 200, b"", {"Cache-Control": "public, max-age=3600"}
        self.serve()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(outer.status)
                for name, value in {**outer.headers, "Content-Length": str(len(outer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where the keys are."""
        return f"http://127.0.0.1:{self._server.server_port}/gp/m/issuer/keys"

    def serve(self, document: Any = None) -> None:
        """Serve this document from now on; the signer's keys without one."""
        self.body = json.dumps(self.signer.root_keys() if document is None else document).encode()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
