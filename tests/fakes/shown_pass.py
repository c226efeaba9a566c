"""A .pkpass as the page shows it: its JSON, its pictures, its words per language, and who signed it."""

import io
import json
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.extensions import ExtensionNotFound

from tests.fakes.credentials import PASS_EXTENSION

STRING = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=\s*"((?:[^"\\]|\\.)*)"\s*;')
ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class ShownPass:
    """The package's bytes, opened."""

    content: bytes

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The files by name."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as package:
            return {name: package.read(name) for name in package.namelist()}

    @property
    def pass_json(self) -> dict[str, Any]:
        """The pass itself."""
        return dict(json.loads(self.files["pass.json"]))

    @property
    def images(self) -> list[str]:
        """The names of the pictures."""
        return sorted(name for name in self.files if name.endswith(".png"))

    @property
    def strings(self) -> dict[str, dict[str, str]]:
        """The words by language."""
        found = {}
        for name, content in self.files.items():
            folder, _, file = name.partition("/")
            if file == "pass.strings" and folder.endswith(".lproj"):
                found[folder.removesuffix(".lproj")] = read_strings(content)
        return found

    @property
    def signer(self) -> str:
        """The serial number of the certificate that signed, in hexadecimal digits."""
        for certificate in pkcs7.load_der_pkcs7_certificates(self.files["signature"]):
            try:
                certificate.extensions.get_extension_for_oid(PASS_EXTENSION)
            except ExtensionNotFound:
                continue
            return f"{certificate.serial_number:x}"
        return ""


def read_strings(content: bytes) -> dict[str, str]:
    """Read a .strings file, in UTF-16 with a mark or in UTF-8."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = content.decode("utf-16" if marked else "utf-8")
    return {_plain(key): _plain(value) for key, value in STRING.findall(text)}


def _plain(text: str) -> str:
    return ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
