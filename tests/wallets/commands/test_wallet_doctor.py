"""wallet_doctor names each fault exactly: settings, files, chain, dates, clock, what Apple and Google say, a .p12."""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from django.core.management import CommandError, call_command

from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.fakes.google import FakeGoogle, new_account
from tests.fakes.google_shelf import Refused
from tests.wallets.answering import Answering
from wallets.providers.apple import apns as client
from wallets.providers.apple import checks, development
from wallets.providers.google.checks import TOKEN_FAULTS

PASS_TYPE, TEAM, PASSWORD = "pass.example.doctor", "TEAM123456", "open sesame"


@dataclass
class Said:
    """What the doctor printed, and with which status it ended."""

    text: str
    status: int

    def faults(self) -> list[str]:
        """Return the codes of the faults."""
        return [line.rsplit("[", 1)[1].rstrip("]") for line in self.text.splitlines() if "FAULT" in line]


def doctor(*options: str) -> Said:
    """Call it."""
    out = StringIO()
    try:
        call_command("wallet_doctor", *options, stdout=out, no_color=True)
    except SystemExit as end:
        return Said(out.getvalue(), int(end.code or 0))
    return Said(out.getvalue(), 0)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> credentials.Files:
    return credentials.prepare(tmp_path_factory.mktemp("made"), pass_type=PASS_TYPE, team=TEAM)


@pytest.fixture
def chain(made: credentials.Files, tmp_path: Path, settings: Any) -> credentials.Files:
    """A good chain of files that a test may spoil, and settings that name it. Nothing of Google."""
    for file in made.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    files = credentials.Files(tmp_path)
    settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
    settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
    settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)
    settings.LOYALTY_APPLE_APNS_CA_PATH = str(files.apns_ca)
    settings.LOYALTY_GOOGLE_ISSUER_ID = settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""
    return files


@pytest.fixture
def apns(chain: credentials.Files, settings: Any) -> Iterator[FakeApns]:
    with FakeApns(chain.apns_certificate, chain.apns_key, chain.clients) as server:
        settings.LOYALTY_APPLE_APNS_URL = server.url
        yield server


@pytest.fixture
def google(tmp_path: Path, settings: Any) -> Iterator[FakeGoogle]:
    settings.LOYALTY_APPLE_PASS_TYPE_ID = ""
    with FakeGoogle() as server:
        settings.LOYALTY_GOOGLE_ISSUER_ID = server.issuer
        settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = str(server.write_account(tmp_path / "account.json"))
        settings.LOYALTY_GOOGLE_API_BASE = server.url
        yield server


def edit(path: Path, **values: Any) -> None:
    """Change an account's JSON; None takes a field away."""
    account = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({name: value for name, value in account.items() if value is not None}))


# Apple


def test_it_works_when_all_is_well(apns: FakeApns) -> None:
    said = doctor()

    assert (said.status, said.faults()) == (0, [])
    assert "takes the certificate" in said.text
    assert "Google Wallet: not set up" in said.text
    assert apns.pushes[0].topic == PASS_TYPE
    assert apns.pushes[0].token == "0" * 64


def test_no_wallet_at_all_is_said_and_is_no_success(settings: Any) -> None:
    said = doctor()

    assert said.status == 1
    assert "No wallet is set up" in said.text


def test_a_wallet_that_is_asked_for_must_be_set_up(settings: Any) -> None:
    said = doctor("--wallet", "google")

    assert said.status == 1
    assert said.text.count("FAULT") == 2
    assert "LOYALTY_GOOGLE_ISSUER_ID is not set." in said.text


def test_offline_asks_nobody(chain: credentials.Files, settings: Any) -> None:
    settings.LOYALTY_APPLE_APNS_URL = "https://127.0.0.1:1"

    said = doctor("--offline")

    assert (said.status, said.faults()) == (0, [])
    assert "push service" not in said.text


def test_a_fresh_installation_is_in_order_and_asks_nobody(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: Any, **__: Any) -> Any:
        raise AssertionError("Apple was asked")

    monkeypatch.setattr(client, "push", no_network)
    monkeypatch.setattr(checks.requests, "head", no_network)
    development.make(
        tmp_path, pass_type_id=development.PASS_TYPE_ID, team_id=development.TEAM_ID, at=datetime.now(UTC)
    )  # fmt: skip
    for name, value in development.settings_for(tmp_path).items():
        setattr(settings, name, value)
    settings.LOYALTY_GOOGLE_ISSUER_ID = settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""
    assert settings.LOYALTY_APPLE_APNS_URL == "https://api.push.apple.com"

    said = doctor()

    assert (said.status, said.faults()) == (0, []), said.text
    assert "push service: not asked: the chain is made for development" in said.text


def other_key(files: credentials.Files) -> None:
    other = credentials.make_signer(credentials.make_intermediate(credentials.make_root()), pass_type="x", team="y")
    credentials.write(files.folder / "other.pem", other, files.signer_key)


def other_intermediate(files: credentials.Files) -> None:
    credentials.write(files.intermediate, credentials.make_intermediate(credentials.make_root()))


def foreign_root(files: credentials.Files) -> None:
    """Put a root beside the intermediate that bears the right key identifier and has another key."""
    intermediate = x509.load_pem_x509_certificate(files.intermediate.read_bytes())
    wanted = intermediate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    root = credentials.make_root()
    builder = (
        x509.CertificateBuilder().subject_name(intermediate.issuer).issuer_name(intermediate.issuer)
        .public_key(root.key.public_key()).serial_number(1).not_valid_before(root.certificate.not_valid_before_utc)
        .not_valid_after(root.certificate.not_valid_after_utc)
        .add_extension(x509.SubjectKeyIdentifier(wanted or b""), critical=False)
    )  # fmt: skip
    certificate = builder.sign(root.key, root.certificate.signature_hash_algorithm)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    files.intermediate.write_bytes(files.intermediate.read_bytes() + pem)


def server_certificate(files: credentials.Files) -> None:
    credentials.write(files.signer, credentials.make_server(credentials.make_root()), files.signer_key)


SPOILT = {
    "file_missing": lambda files: files.signer.unlink(),
    "file_unreadable": lambda files: (files.signer_key.unlink(), files.signer_key.mkdir()),
    "not_a_certificate": lambda files: files.signer.write_text("certainly"),
    "not_a_key": lambda files: files.signer_key.write_text("certainly"),
    "key_mismatch": other_key,
    "wrong_intermediate": other_intermediate,
    "chain_broken": foreign_root,
    "not_a_pass_certificate": server_certificate,
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_spoilt_file_is_named_with_its_fault(fault: str, chain: credentials.Files) -> None:
    SPOILT[fault](chain)

    said = doctor("--offline")

    assert said.status == 1
    assert fault in said.faults()


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LOYALTY_APPLE_TEAM_ID", "", "not_configured"),
        ("LOYALTY_APPLE_TEAM_ID", "OTHERTEAM1", "wrong_team"),
        ("LOYALTY_APPLE_PASS_TYPE_ID", "pass.example.other", "wrong_pass_type"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, fault: str, chain: credentials.Files, settings: Any) -> None:
    setattr(settings, name, value)

    said = doctor("--offline")

    assert (said.status, said.faults()) == (1, [fault])
    assert name in said.text


@pytest.mark.parametrize(("days", "fault"), [(400, "expired"), (-30, "not_yet_valid")])
def test_a_certificate_out_of_its_time_is_named(days: int, fault: str, chain: credentials.Files) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days), tick=True):
        said = doctor("--offline")

    assert said.status == 1
    assert fault in said.faults()


def test_a_certificate_that_ends_soon_is_no_fault_and_is_said(chain: credentials.Files) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=350), tick=True):
        said = doctor("--offline")

    assert said.status == 0
    assert "renew it now" in said.text


def test_a_refused_handshake_is_named(chain: credentials.Files, settings: Any) -> None:
    with FakeApns(chain.apns_certificate, chain.apns_key, chain.apns_ca) as server:
        settings.LOYALTY_APPLE_APNS_URL = server.url
        said = doctor()

    assert said.faults() == ["handshake_refused"], said.text


@pytest.mark.parametrize(
    ("status", "reason", "fault"),
    [(403, "BadCertificate", "certificate_refused"), (400, "TopicDisallowed", "topic_refused"),
     (503, "ServiceUnavailable", "unavailable")],
)  # fmt: skip
def test_what_the_push_service_says_is_named(status: int, reason: str, fault: str, apns: FakeApns) -> None:
    apns.answer("", status, reason)

    said = doctor()

    assert said.faults() == [fault]
    assert reason in said.text


def test_an_unknown_device_is_what_is_wanted(apns: FakeApns) -> None:
    apns.answer("", 400, "BadDeviceToken")

    assert doctor().status == 0


def test_a_server_that_is_not_trusted_is_named(apns: FakeApns, settings: Any) -> None:
    settings.LOYALTY_APPLE_APNS_CA_PATH = ""

    assert doctor().faults() == ["server_not_trusted"]


def test_a_server_that_is_away_is_named(chain: credentials.Files, settings: Any) -> None:
    settings.LOYALTY_APPLE_APNS_URL = "https://127.0.0.1:1"

    assert doctor().faults() == ["unreachable"]


# Google


def test_google_answers(google: FakeGoogle) -> None:
    said = doctor("--wallet", "google")

    assert (said.status, said.faults()) == (0, []), said.text
    assert f"issuer {google.issuer} answers" in said.text
    assert "clock: agrees" in said.text


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"private_key": "certainly"}, "private_key is not a readable PEM key"),
        ({"token_uri": None}, "token_uri is missing"),
        ({"type": "authorized_user"}, "no service account"),
    ],
)
def test_a_spoilt_account_is_named(spoilt: dict[str, Any], words: str, google: FakeGoogle, settings: Any) -> None:
    edit(Path(settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON), **spoilt)

    said = doctor("--wallet", "google")

    assert (said.status, said.faults()) == (1, ["broken"])
    assert words in said.text


def test_an_account_that_is_no_json_is_named(google: FakeGoogle, settings: Any) -> None:
    Path(settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON).write_text("-----BEGIN PRIVATE KEY-----")

    assert "not JSON" in doctor("--wallet", "google").text


def test_another_accounts_key_is_named(google: FakeGoogle, settings: Any) -> None:
    edit(Path(settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON), private_key=new_account()["private_key"])

    assert doctor("--wallet", "google").faults() == ["key_refused"]


def test_an_account_that_is_gone_is_named(google: FakeGoogle) -> None:
    google.tokens.revoked = True

    assert doctor("--wallet", "google").faults() == ["account_gone"]


def test_a_clock_that_google_refuses_is_named(google: FakeGoogle) -> None:
    google.tokens.skew = 7200

    assert "clock_off" in doctor("--wallet", "google").faults()


def test_every_word_of_google_that_is_known_has_a_code() -> None:
    assert len({code for _, _, code in TOKEN_FAULTS}) == len(TOKEN_FAULTS)


def test_no_access_to_the_issuer_is_named_with_what_to_do(google: FakeGoogle, settings: Any) -> None:
    settings.LOYALTY_GOOGLE_ISSUER_ID = "3388000000099999999"

    said = doctor("--wallet", "google")

    assert said.faults() == ["no_access"]
    assert "wallet@fakes.example is no user of issuer 3388000000099999999" in said.text
    assert "under Users" in said.text


def test_another_refusal_of_a_token_is_told_in_googles_words(google: FakeGoogle) -> None:
    google.faults.token = 503

    said = doctor("--wallet", "google")

    assert said.faults() == ["token_refused"]
    assert "503: token: fault A fault on command." in said.text


@pytest.mark.parametrize(("status", "fault"), [(404, "no_issuer"), (500, "refused")])
def test_other_answers_to_the_list_are_named(status: int, fault: str, google: FakeGoogle) -> None:
    google.faults.next = [status]

    assert doctor("--wallet", "google").faults() == [fault]


def test_a_switched_off_api_is_named(google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "Google Wallet API has not been used in project 1 before or it is disabled."

    def refuse(kind: str, issuer: str) -> Any:
        raise Refused(403, "accessNotConfigured", words)

    monkeypatch.setattr(google.shelf, "listed", refuse)

    assert doctor("--wallet", "google").faults() == ["api_off"]


def test_a_wrong_clock_is_named_by_the_answers_date(google: FakeGoogle, settings: Any) -> None:
    with Answering({"access_token": "x", "resources": []}, off=timedelta(minutes=7)) as server:
        edit(Path(settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON), token_uri=f"{server.url}/token")
        settings.LOYALTY_GOOGLE_API_BASE = server.url
        said = doctor("--wallet", "google")

    assert said.faults() == ["clock_off"]
    assert "behind 127.0.0.1" in said.text


@pytest.mark.parametrize(
    ("listed", "fault"), [({"another": "key"}, ["key_gone"]), ({"fakes-1": "soon"}, []), ({}, [])]
)  # fmt: skip
def test_the_keys_published_certificate_is_looked_at(
    listed: dict[str, str], fault: list[str], google: FakeGoogle, settings: Any
) -> None:
    issued = credentials.make_signer(
        credentials.make_intermediate(credentials.make_root()), pass_type="k", team="t", days=9
    )
    pem = issued.certificate.public_bytes(serialization.Encoding.PEM).decode()
    with Answering(dict.fromkeys(listed, pem)) as server:
        edit(Path(settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON), client_x509_cert_url=f"{server.url}/certs")
        said = doctor("--wallet", "google")

    assert said.faults() == fault
    assert ("key: valid until" in said.text) == ("fakes-1" in listed)


# A .p12 of Keychain Access


@pytest.fixture
def p12(made: credentials.Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    key = serialization.load_pem_private_key(made.signer_key.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(made.signer.read_bytes())
    others = [x509.load_pem_x509_certificate(made.intermediate.read_bytes())]
    cover = serialization.BestAvailableEncryption(PASSWORD.encode())
    path = tmp_path / "Certificates.p12"
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"Pass", key, certificate, others, cover))  # type: ignore[arg-type]
    monkeypatch.setenv("P12_PASSWORD", PASSWORD)
    return path


def test_a_p12_is_read_and_taken_apart(p12: Path, tmp_path: Path, settings: Any) -> None:
    folder = tmp_path / "certs"

    said = doctor("--p12", str(p12), "--password-env", "P12_PASSWORD", "--write", str(folder))

    assert (said.status, said.faults()) == (0, []), said.text
    assert f"signs passes of {PASS_TYPE}, team {TEAM}" in said.text
    assert stat.S_IMODE((folder / "signer.key").stat().st_mode) == 0o600
    for line in said.text.splitlines():
        name, _, value = line.strip().partition("=")
        if name.startswith("LOYALTY_APPLE_"):
            setattr(settings, name, value)
    assert doctor("--wallet", "apple", "--offline").status == 0


def test_a_p12_is_only_read_without_write(p12: Path, tmp_path: Path) -> None:
    said = doctor("--p12", str(p12), "--password-env", "P12_PASSWORD")

    assert said.status == 0
    assert "signer.pem, signer.key, wwdr.pem" in said.text
    assert [path.name for path in tmp_path.iterdir()] == ["Certificates.p12"]


def test_files_that_are_there_are_not_replaced(p12: Path, tmp_path: Path) -> None:
    (tmp_path / "signer.key").write_text("mine")

    with pytest.raises(CommandError, match="is there already"):
        doctor("--p12", str(p12), "--password-env", "P12_PASSWORD", "--write", str(tmp_path))

    assert (tmp_path / "signer.key").read_text() == "mine"
    assert not (tmp_path / "signer.pem").exists()


def test_a_wrong_password_is_named(p12: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P12_PASSWORD", "guess")

    said = doctor("--p12", str(p12), "--password-env", "P12_PASSWORD")

    assert said.status == 1
    assert "the password is wrong, or the file is no .p12" in said.text


def test_a_p12_without_a_key_is_named(made: credentials.Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = x509.load_pem_x509_certificate(made.signer.read_bytes())
    path = tmp_path / "half.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"x", None, None, [certificate], serialization.NoEncryption())
    )
    monkeypatch.setenv("P12_PASSWORD", "")

    assert "no private key" in doctor("--p12", str(path), "--password-env", "P12_PASSWORD").text


@pytest.mark.parametrize("options", [["--write", "x"], ["--p12", "nowhere.p12", "--password-env", "P12_PASSWORD"],
                                     ["--p12", "nowhere.p12", "--password-env", "NOT_SET_ANYWHERE"]])  # fmt: skip
def test_wrong_orders_are_refused(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P12_PASSWORD", "")

    with pytest.raises(CommandError):
        doctor(*options)


# The companies' badges


def test_badges_are_looked_at(chain: credentials.Files, tmp_path: Path, settings: Any) -> None:
    folder = tmp_path / "badges"
    folder.mkdir()
    settings.LOYALTY_WALLET_BADGES_DIR = str(folder)
    shape = '<svg xmlns="http://www.w3.org/2000/svg" width="110" height="35"/>'
    (folder / "apple-en.svg").write_text(shape)

    fine = doctor("--wallet", "apple", "--offline")
    (folder / "google-en.svg").write_text("no drawing")
    said = doctor("--wallet", "apple", "--offline")

    assert "apple-en.svg: shown as it is" in fine.text
    assert "google-en.svg: is not an SVG" in said.text
    assert said.faults().count("not_a_badge") == 1
