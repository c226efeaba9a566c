"""Reads a .pkpass as a phone does: package, hashes, signature, and what has to be in pass.json; else it is refused."""

import hashlib
import io
import json
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NEEDED = (
    "formatVersion", "passTypeIdentifier", "serialNumber", "teamIdentifier", "organizationName", "description",
)  # fmt: skip
GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
TOKEN_LEAST = 16
LINE = re.compile(r'^"((?:[^"\\]|\\.)*)"\s*=\s*"((?:[^"\\]|\\.)*)";$')


class BadPass(Exception):
    """No phone takes this; the text says why."""


@dataclass(frozen=True)
class PassFile:
    """A package that a phone takes."""

    content: dict[str, Any]
    files: dict[str, bytes]
    manifest: bytes

    @property
    def serial(self) -> str:
        """The serial number."""
        return str(self.content["serialNumber"])

    @property
    def type(self) -> str:
        """The pass type."""
        return str(self.content["passTypeIdentifier"])

    @property
    def token(self) -> str:
        """The authentication token."""
        return str(self.content["authenticationToken"])

    @property
    def service(self) -> str:
        """The address of the web service, without a slash at its end."""
        return str(self.content["webServiceURL"]).rstrip("/")

    @property
    def values(self) -> dict[str, str]:
        """Values of all fields by their key."""
        return {item["key"]: item["value"] for item in self.fields()}

    def fields(self) -> Iterator[dict[str, Any]]:
        """Yield all fields."""
        for group in GROUPS:
            yield from self.content["storeCard"].get(group, [])

    def words(self, language: str = "en") -> dict[str, str]:
        """Return the texts of a language."""
        raw = self.files.get(f"{language}.lproj/pass.strings", b"")
        text = raw.decode("utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw.decode("utf-8")
        found = (LINE.match(line.strip()) for line in text.splitlines())
        return {line[1]: json.loads(f'"{line[2]}"') for line in found if line}


def read(package: bytes, *, root: Path | None = None) -> PassFile:
    """Return what is in a package; raises BadPass. With a root certificate openssl verifies the signature."""
    files = _unpacked(package)
    manifest, signature = files.pop("manifest.json", None), files.pop("signature", None)
    if manifest is None or not signature:
        raise BadPass("no manifest or no signature")
    _hashes(manifest, files)
    if root is not None:
        verify(manifest, signature, root)
    content = _content(files)
    if not any(name in files for name in ("icon.png", "icon@2x.png", "icon@3x.png")):
        raise BadPass("no icon")
    return PassFile(content, files, manifest)


def announced(old: PassFile, new: PassFile) -> list[tuple[str, str]]:
    """Return (key, text) of what the lock screen shows: values that changed under the same key, and say so."""
    before, words = old.values, new.words()
    return [
        (item["key"], words.get(item["changeMessage"], item["changeMessage"]).replace("%@", str(item["value"])))
        for item in new.fields()
        if item.get("changeMessage") and item["key"] in before and before[item["key"]] != item["value"]
    ]


def verify(manifest: bytes, signature: bytes, root: Path) -> None:
    """Verify a detached signature down to a root, byte by byte; raises BadPass."""
    with tempfile.TemporaryDirectory() as folder:
        signed, proof = Path(folder) / "manifest.json", Path(folder) / "signature"
        signed.write_bytes(manifest)
        proof.write_bytes(signature)
        command = [
            "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(proof), "-content", str(signed),
            "-CAfile", str(root), "-purpose", "any", "-out", "/dev/null",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise BadPass(f"Manifest signature did not verify successfully: {done.stderr.decode()[:300]}")


def _unpacked(package: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)) or any(name.endswith("/") or "\\" in name for name in names):
                raise BadPass("folders, or names twice, in the package")
            if archive.testzip() is not None:
                raise BadPass("a file of the package is damaged")
            return {name: archive.read(name) for name in names}
    except zipfile.BadZipFile as fault:
        raise BadPass("no package") from fault


def _hashes(manifest: bytes, files: dict[str, bytes]) -> None:
    listed = json.loads(manifest)
    if set(listed) != set(files):
        raise BadPass(f"No entry in manifest for file {sorted(set(listed) ^ set(files))}")
    for name, found in files.items():
        if hashlib.sha1(found).hexdigest() != listed[name]:
            raise BadPass(f"another hash than the manifest says: {name}")


def _content(files: dict[str, bytes]) -> dict[str, Any]:
    try:
        content = json.loads(files["pass.json"].decode("utf-8"))
    except (KeyError, ValueError) as fault:
        raise BadPass("pass.json is no JSON in UTF-8") from fault
    missing = [key for key in NEEDED if not content.get(key)]
    if missing or content["formatVersion"] != 1 or "storeCard" not in content:
        raise BadPass(f"pass.json lacks {missing}")
    if not isinstance(content["serialNumber"], str):
        raise BadPass("the serial number is no text")
    if ("webServiceURL" in content) != ("authenticationToken" in content):
        raise BadPass("webServiceURL and authenticationToken are a pair")
    token = content.get("authenticationToken")
    if token is not None and (not isinstance(token, str) or len(token) < TOKEN_LEAST):
        raise BadPass("the token is too short")
    if str(content.get("webServiceURL", "")).rstrip("/").endswith("/v1"):
        raise BadPass("the device itself appends /v1")
    if any(not isinstance(code.get("message"), str) for code in content.get("barcodes", [])):
        raise BadPass("cannot be installed at this time: a barcode's message is no text")
    return dict(content)
