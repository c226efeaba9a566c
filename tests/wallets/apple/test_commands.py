"""make_dev_pass_certificates, lint_pass, bench_passes, and what the first start makes of them."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from django.utils import timezone

from loyalty_platform.launcher.preparation import Preparation
from loyalty_platform.settings import development as defaults
from tests.fakes import credentials as made
from tests.fakes import pkpass
from tests.support.servers import ROOT
from tests.wallets.apple.conftest import IDENTITY, Chain
from wallets.providers.apple import development
from wallets.providers.apple.provider import APPLE
from wallets.rules.description import CardDescription

pytestmark = pytest.mark.usefixtures("openssl")
FILES = {"root.pem", "wwdr.pem", "signer.pem", "signer.key"}


def make(folder: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("make_dev_pass_certificates", "--out", str(folder), *options, stdout=out)
    return out.getvalue()


def loaded(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_it_makes_a_chain_as_apples(tmp_path: Path) -> None:
    make(tmp_path / "certs", "--pass-type-id", "pass.example.mine", "--team-id", "ABCDE12345")

    folder = tmp_path / "certs"
    assert {path.name for path in folder.iterdir()} == FILES
    assert (folder / "signer.key").stat().st_mode & 0o777 == 0o600
    leaf, intermediate = loaded(folder / "signer.pem"), loaded(folder / "wwdr.pem")
    names = {name.oid: name.value for name in leaf.subject}
    assert (names[NameOID.USER_ID], names[NameOID.ORGANIZATIONAL_UNIT_NAME]) == ("pass.example.mine", "ABCDE12345")
    assert "G4" in intermediate.subject.rfc4514_string()
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert "1.2.840.113635.100.4.14" in {usage.dotted_string for usage in usages}
    assert "1.2.840.113635.100.6.1.16" in {extension.oid.dotted_string for extension in leaf.extensions}
    command = ["openssl", "verify", "-purpose", "any", "-CAfile", "root.pem", "-untrusted", "wwdr.pem", "signer.pem"]
    assert subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def test_it_signs_passes_that_openssl_verifies(
    tmp_path: Path, settings: Any, card: Callable[..., CardDescription]
) -> None:
    make(tmp_path)
    for name, value in development.settings_for(tmp_path).items():
        setattr(settings, name, value)

    pkpass.read(APPLE.render(card(), IDENTITY).content, root=tmp_path / "root.pem")


def test_it_keeps_what_serves_and_force_replaces_it(tmp_path: Path) -> None:
    make(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}

    assert "already" in make(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before
    make(tmp_path, "--force")
    assert all((tmp_path / name).read_bytes() != content for name, content in before.items())


@pytest.mark.parametrize("missing", sorted(FILES))
def test_it_completes_what_is_half_there(tmp_path: Path, missing: str) -> None:
    make(tmp_path)
    (tmp_path / missing).unlink()

    assert "Made" in make(tmp_path)
    assert "already" in make(tmp_path)


def test_it_renews_what_is_about_to_expire(tmp_path: Path) -> None:
    make(tmp_path)
    with time_machine.travel(timezone.now() + timedelta(days=820)):
        assert "Made" in make(tmp_path)


def test_it_leaves_somebody_elses_certificate_alone(own: Chain) -> None:
    before = own.signer.read_bytes()

    with pytest.raises(CommandError, match="not of our making"):
        make(own.folder)
    assert own.signer.read_bytes() == before
    make(own.folder, "--force")
    assert own.signer.read_bytes() != before


@pytest.mark.parametrize("inside", ["", "certs"])
def test_a_file_is_no_folder_to_write_into(tmp_path: Path, inside: str) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")

    for options in ([], ["--force"]):
        with pytest.raises(CommandError, match="cannot be written"):
            make(taken / inside, *options)
    assert taken.read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--pass-type-id", value) for value in (
            "", "pass.", "example.mine", "pass.exa mple", "pass.ä", "pass.x\n", "PASS.x", "pass." + "x" * 151,
        )),
        *(("--team-id", value) for value in (
            "", "ABCDE1234", "ABCDE123456", "abcde12345", "ABCDE 2345", "ABCDE1234\n", "ÄBCDE12345",
        )),
    ],
)  # fmt: skip
def test_names_that_are_none_are_refused(tmp_path: Path, option: str, value: str) -> None:
    with pytest.raises(CommandError, match=option):
        make(tmp_path / "certs", f"{option}={value}")
    assert not (tmp_path / "certs").exists()


def test_the_longest_name_is_taken(tmp_path: Path) -> None:
    make(tmp_path, "--pass-type-id", "pass." + "x" * 150)

    assert "already" in make(tmp_path, "--pass-type-id", "pass." + "x" * 150)


def test_lint_pass_says_each_fault_and_exits_with_one(
    apple: Chain, card: Callable[..., CardDescription], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.pkpass", tmp_path / "bad.pkpass"
    good.write_bytes(APPLE.render(card(), IDENTITY).content)
    bad.write_bytes(b"rubbish")

    def run(*names: Path) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.test"}
        command = [sys.executable, "-W", "ignore", "manage.py", "lint_pass", *map(str, names)]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    fine, faulty, absent = run(good), run(bad), run(tmp_path / "none.pkpass")

    assert (fine.returncode, fine.stdout) == (0, f"{good}: no fault found\n")
    assert (faulty.returncode, faulty.stdout) == (1, f"{bad}: The package is not a zip archive.\n")
    assert absent.returncode == 1
    assert "cannot be read" in absent.stderr


def test_bench_passes_prints_json_and_nothing_else() -> None:
    out = io.StringIO()
    call_command("bench_passes", "--seconds", "0.3", stdout=out)

    found = json.loads(out.getvalue())
    assert found.keys() == {"passes", "cpu_seconds"}
    assert found["passes"] > 20
    assert 0 < found["cpu_seconds"] < 5


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_bench_passes_needs_some_time(seconds: str) -> None:
    with pytest.raises(CommandError, match="--seconds"):
        call_command("bench_passes", f"--seconds={seconds}")


def test_development_signs_with_the_chain_of_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in defaults.APPLE_NAMES:
        monkeypatch.delenv(name, raising=False)
    assert defaults.apple(tmp_path) == {}

    make(tmp_path / "certs")
    assert defaults.apple(tmp_path) == development.settings_for(tmp_path / "certs")

    monkeypatch.setenv("LOYALTY_APPLE_PASS_TYPE_ID", "")
    assert defaults.apple(tmp_path) == {}


def test_first_start_makes_the_chain_once(tmp_path: Path) -> None:
    """In a folder of its own: the launcher starts the command, and never when the environment has credentials."""

    def begin(**env: str) -> object:
        steps = Preparation(root=ROOT, var=tmp_path, env={**os.environ, **env}, database="")
        steps.logs.mkdir(exist_ok=True)
        return steps._begin_certificates()

    assert begin(LOYALTY_APPLE_TEAM_ID="") is None
    made.write(tmp_path / "ca", made.make_root())
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "signer.key").write_bytes(b"there")
    assert begin() is None
