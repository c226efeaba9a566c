"""A good package taken apart, spoiled in one place, and put together again without the product's code."""

import hashlib
import io
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes import credentials
from tests.fakes.credentials import Issued


@dataclass
class Package:
    """The files of a pass and how they are signed: by whom, with which other certificates, over which bytes."""

    files: dict[str, bytes]
    signer: Issued
    others: list[Issued]
    options: list[str] = field(default_factory=lambda: ["-binary", "-md", "sha256"])
    listed: Callable[[dict[str, str]], Any] = lambda listed: listed
    packed: Callable[[dict[str, bytes]], dict[str, bytes]] = lambda files: files
    signed: Callable[[bytes], bytes] = lambda manifest: manifest
    shaped: Callable[[bytes], bytes] = lambda signature: signature
    faked: list[str] = field(default_factory=list)

    def content(self, **changes: Any) -> "Package":
        """Change pass.json; None takes a key away."""
        found = {**json.loads(self.files["pass.json"]), **changes}
        return self.text(json.dumps({key: value for key, value in found.items() if value is not None}))

    def text(self, text: str | bytes) -> "Package":
        """Replace pass.json."""
        self.files["pass.json"] = text if isinstance(text, bytes) else text.encode()
        return self

    def edit(self, change: Callable[[dict[str, Any]], None]) -> "Package":
        """Change pass.json in depth."""
        found = json.loads(self.files["pass.json"])
        change(found)
        return self.text(json.dumps(found))

    def put(self, name: str, content: bytes | None) -> "Package":
        """Add, replace or take away a file."""
        self.files.pop(name, None)
        if content is not None:
            self.files[name] = content
        return self

    def build(self) -> bytes:
        """Return the package."""
        hashes = {name: hashlib.sha1(data).hexdigest() for name, data in self.files.items()}
        listed = self.listed(hashes)
        manifest = listed if isinstance(listed, bytes) else json.dumps(listed, indent=1).encode()
        signature = self.shaped(self._sign(self.signed(manifest)))
        files = self.packed({**self.files, "manifest.json": manifest, "signature": signature})
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name), content)
        return out.getvalue()

    def _sign(self, manifest: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            paths = {kind: folder / kind for kind in ("manifest", "signature", "leaf", "key", "others")}
            paths["manifest"].write_bytes(manifest)
            credentials.write(paths["leaf"], self.signer, paths["key"])
            pems = []
            for number, one in enumerate(self.others):
                credentials.write(folder / str(number), one)
                pems.append((folder / str(number)).read_bytes())
            paths["others"].write_bytes(b"".join(pems))
            command = [
                *self.faked, "openssl", "cms", "-sign", "-outform", "DER", "-in", str(paths["manifest"]),
                "-out", str(paths["signature"]), "-signer", str(paths["leaf"]), "-inkey", str(paths["key"]),
                *(["-certfile", str(paths["others"])] if pems else []), *self.options,
            ]  # fmt: skip
            subprocess.run(command, check=True, capture_output=True)
            return paths["signature"].read_bytes()


def field_of(content: dict[str, Any], group: str, index: int = 0) -> dict[str, Any]:
    """Return a field of pass.json."""
    found: dict[str, Any] = content["storeCard"][group][index]
    return found
