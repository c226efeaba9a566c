"""The package as a phone, openssl and a stranger's zip reader see it."""

import hashlib
import io
import json
import re
import subprocess
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from tests.fakes import pkpass
from tests.wallets.apple.conftest import IDENTITY, Chain
from wallets.providers.apple import credentials, package, signature
from wallets.providers.apple.provider import APPLE
from wallets.providers.base import PassIdentity
from wallets.providers.errors import CannotRender, NotConfigured
from wallets.rules.description import CardDescription

pytestmark = pytest.mark.usefixtures("openssl")
Describe = Callable[..., CardDescription]


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def structure(files: dict[str, bytes], folder: Path) -> str:
    path = folder / "signature"
    path.write_bytes(files["signature"])
    command = ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_works(apple: Chain, card: Describe) -> None:
    made = APPLE.render(card(), IDENTITY)

    found = pkpass.read(made.content, root=apple.root)

    assert (found.serial, found.type) == (IDENTITY.name, "pass.example.loyalty")
    assert found.values["stamps"] == "3/10"
    assert found.values["points"] == "1250"


def test_signature_is_detached_binary_sha256_with_time_and_two_certificates(
    apple: Chain, card: Describe, tmp_path: Path
) -> None:
    """Pitfall 21: the options of the CMS signature."""
    text = structure(unpacked(APPLE.render(card(), IDENTITY).content), tmp_path)

    assert "eContent: <ABSENT>" in text
    assert "signingTime" in text
    assert "messageDigest" in text
    assert len(re.findall(r"d\.certificate:", text)) == 2
    assert len(re.findall(r"signerInfos:(?s:.*)algorithm: sha256 ", text)) == 1
    assert "S/MIME Capabilities" not in text


def test_signature_survives_line_ends_in_the_manifest(apple: Chain) -> None:
    """Pitfall 21: without Binary, line ends are rewritten before they are hashed."""
    manifest = b'{\n"a":"b"\r\n}\n'

    pkpass.verify(manifest, signature.sign(manifest, credentials.current()), apple.root)

    with pytest.raises(pkpass.BadPass):
        pkpass.verify(manifest.replace(b"\n", b"\r\n"), signature.sign(manifest, credentials.current()), apple.root)


def test_signing_time_is_now_and_inside_of_the_certificate(apple: Chain, card: Describe, tmp_path: Path) -> None:
    """Pitfall 50: a phone checks that the pass was signed while the certificate was valid."""
    before = int(time.time())
    text = structure(unpacked(APPLE.render(card(), IDENTITY).content), tmp_path)

    found = re.search(r"UTCTIME:(\w+ +\d+ [\d:]+ \d{4}) GMT", text.split("signingTime")[1])
    assert found
    signed = time.mktime(time.strptime(found[1], "%b %d %H:%M:%S %Y")) - time.timezone
    assert before - 1 <= signed <= time.time() + 1


def test_manifest_lists_exactly_the_other_files(apple: Chain, card: Describe) -> None:
    """Pitfalls 22 and 23: the set of files is the manifest's and two; no folder, nothing of a desktop."""
    files = unpacked(APPLE.render(card(), IDENTITY).content)
    manifest = json.loads(files["manifest.json"])

    assert files.keys() == manifest.keys() | {"manifest.json", "signature"}
    assert all(hashlib.sha1(files[name]).hexdigest() == written for name, written in manifest.items())
    assert {f"{language}.lproj/pass.strings" for language in ("en", "fr", "de", "lb")} <= manifest.keys()
    pictures = {f"{name}{end}.png" for name in ("icon", "logo", "strip") for end in ("", "@2x", "@3x")}
    assert pictures <= manifest.keys()
    assert not any("\\" in name or name.startswith(("/", "__MACOSX")) for name in files)


def test_zip_is_stored_and_plain(apple: Chain, card: Describe) -> None:
    with zipfile.ZipFile(io.BytesIO(APPLE.render(card(), IDENTITY).content)) as archive:
        entries = archive.infolist()

    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert not any(entry.flag_bits & 0x1 or entry.is_dir() or entry.extract_version > 20 for entry in entries)


def test_unzip_reads_the_package(apple: Chain, card: Describe, tmp_path: Path) -> None:
    path = tmp_path / "a.pkpass"
    path.write_bytes(APPLE.render(card(), IDENTITY).content)

    done = subprocess.run(["python3", "-m", "zipfile", "-t", str(path)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_digest_is_of_what_the_pass_shows(apple: Chain, card: Describe) -> None:
    same, again = (APPLE.render(card(), IDENTITY).digest for _ in range(2))
    others = [
        card(points=1251),
        card(stamps=4),
        card(language="de"),
        card(program={"branding": replace(card().program.branding, color="#123456")}),
    ]

    assert same == again
    assert len({same, *(APPLE.render(other, IDENTITY).digest for other in others)}) == 5


def test_certificate_chain_in_the_package_is_leaf_and_its_issuer(apple: Chain, card: Describe) -> None:
    """Pitfall 19: the intermediate is the one that issued the certificate, and no other of the file."""
    credential = credentials.current()

    assert credential.intermediate == apple.issuer.certificate
    assert isinstance(credential.certificate, x509.Certificate)
    assert credential.root is None


def test_threads_sign_at_once(apple: Chain, card: Describe) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda n: APPLE.render(card(points=n), PassIdentity(f"serial-{n}", IDENTITY.token)).content, range(24)
            )
        )

    assert [pkpass.read(one, root=apple.root).values["points"] for one in made] == [str(n) for n in range(24)]


def test_without_settings_nothing_is_rendered(card: Describe) -> None:
    assert APPLE.configured() is False
    assert {problem.code for problem in APPLE.problems()} == {"not_configured"}
    with pytest.raises(NotConfigured, match="LOYALTY_APPLE_TEAM_ID"):
        APPLE.render(card(), IDENTITY)


@pytest.mark.parametrize(
    ("identity", "changes"),
    [
        (PassIdentity("", IDENTITY.token), {}),
        (PassIdentity("serial", "short"), {}),
        (IDENTITY, {"program": {"name": " "}}),
        (IDENTITY, {"holder": "half a \ud83d"}),
    ],
)
def test_what_no_phone_takes_is_not_rendered(
    apple: Chain, card: Describe, identity: PassIdentity, changes: dict[str, object]
) -> None:
    with pytest.raises(CannotRender):
        APPLE.render(card(**changes), identity)


def test_assets_are_bound_in_memory() -> None:
    cache = package.AssetCache(most_bytes=1000)
    made: list[str] = []

    def files(key: str) -> dict[str, bytes]:
        made.append(key)
        return {"icon.png": key.encode() * 400}

    for key in ("a", "a", "b", "c", "c", "a"):
        cache.get(key, lambda key=key: files(key))

    assert made == ["a", "b", "c", "a"]
