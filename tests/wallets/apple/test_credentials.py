"""The exact fault of each wrong file; files read once, and again when they change."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from django.utils import timezone

from tests.fakes import credentials as made
from tests.fakes import pkpass
from tests.wallets.apple.conftest import IDENTITY, PASS_TYPE, TEAM, Chain
from wallets.providers.apple import credentials, inspection
from wallets.providers.apple.provider import APPLE
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.rules.description import CardDescription

pytestmark = pytest.mark.usefixtures("openssl")


def test_it_works(apple: Chain) -> None:
    found = credentials.current()

    assert (found.pass_type_id, found.team_id) == (PASS_TYPE, TEAM)
    assert found.certificate == apple.leaf.certificate
    assert found.not_after == apple.leaf.certificate.not_valid_after_utc
    assert (found.certificate_path, found.key_path) == (str(apple.signer), str(apple.signer_key))
    assert len(bytes.fromhex(found.fingerprint)) == 32
    assert credentials.problems() == []
    assert credentials.configured()


def test_files_are_parsed_once(apple: Chain) -> None:
    """Pitfall 20: the key object is kept; parsing it costs a hundred signatures."""
    first = credentials.current()
    began = time.process_time()

    assert all(credentials.current() is first for _ in range(200))
    assert time.process_time() - began < 0.5


def test_der_files_as_apple_hands_them_out(own: Chain) -> None:
    der = serialization.Encoding.DER
    own.signer.write_bytes(own.leaf.certificate.public_bytes(der))
    own.intermediate.write_bytes(own.issuer.certificate.public_bytes(der))
    own.signer_key.write_bytes(
        own.leaf.key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    assert credentials.current().intermediate == own.issuer.certificate


def test_intermediate_is_chosen_by_key_identifier(own: Chain) -> None:
    """Pitfall 19: several generations of WWDR in one file, of one name; and the root beside them is known."""
    older, newer = (made.make_intermediate(own.root_issuer) for _ in range(2))
    issuers = (older, own.issuer, newer, own.root_issuer)
    own.intermediate.write_bytes(b"".join(one.certificate.public_bytes(serialization.Encoding.PEM) for one in issuers))

    found = credentials.current()

    assert found.intermediate == own.issuer.certificate
    assert found.root == own.root_issuer.certificate


def other_key(own: Chain) -> None:
    made.write(own.folder / "x", made.make_server(own.issuer), own.signer_key)


def locked_key(own: Chain) -> None:
    secret = serialization.BestAvailableEncryption(b"secret")
    pem = own.leaf.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    own.signer_key.write_bytes(pem)


FAULTS: list[tuple[Callable[[Chain], Any], str, str]] = [
    (other_key, "key_mismatch", "does not belong to the certificate"),
    (locked_key, "key_encrypted", "is protected by a password"),
    (lambda own: own.signer_key.write_bytes(b"rubbish"), "not_a_key", "holds no private key"),
    (lambda own: own.signer_key.unlink(), "file_missing", "which does not exist"),
    (
        lambda own: own.signer.write_bytes(b"-----BEGIN CERTIFICATE-----\nx"),
        "not_a_certificate",
        "holds no certificate",
    ),
    (
        lambda own: shutil.rmtree(own.signer, ignore_errors=True) or swap_for_folder(own),
        "file_unreadable",
        "read: Is a",
    ),
    (
        lambda own: made.write(own.intermediate, made.make_intermediate(own.root_issuer)),
        "wrong_intermediate",
        "lacks the intermediate that issued the pass certificate",
    ),
    (
        lambda own: issue(own, pass_type="pass.example.other"),
        "wrong_pass_type",
        "is pass.example.loyalty, but the certificate is for pass.example.other",
    ),
    (lambda own: issue(own, team="OTHER12345"), "wrong_team", "belongs to team OTHER12345"),
    (
        lambda own: made.write(own.signer, made.make_server(own.issuer), own.signer_key),
        "not_a_pass_certificate",
        "is no pass certificate (its subject is 'localhost')",
    ),
]


def issue(own: Chain, *, pass_type: str = PASS_TYPE, team: str = TEAM) -> None:
    made.write(own.signer, made.make_signer(own.issuer, pass_type=pass_type, team=team), own.signer_key)


def swap_for_folder(own: Chain) -> None:
    own.signer.unlink()
    own.signer.mkdir()


@pytest.mark.parametrize(("spoil", "code", "said"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_each_fault_is_named(own: Chain, spoil: Callable[[Chain], Any], code: str, said: str) -> None:
    """Pitfall 18: what would be refused at an upload is refused here, in words."""
    spoil(own)

    (problem,) = credentials.problems()

    assert (problem.code, problem.fatal) == (code, True)
    assert said in problem.detail
    assert not credentials.configured()
    with pytest.raises(BrokenCredential, match=problem.detail[:20].replace("(", r"\(")):
        credentials.current()


def test_one_fault_does_not_hide_the_next(own: Chain) -> None:
    own.signer_key.unlink()
    issue_elsewhere = made.make_signer(own.issuer, pass_type="pass.example.other", team=TEAM)
    made.write(own.signer, issue_elsewhere)

    assert {problem.code for problem in credentials.problems()} == {"file_missing", "wrong_pass_type"}


def test_missing_settings_are_all_named(own: Chain, settings: Any) -> None:
    settings.LOYALTY_APPLE_TEAM_ID = settings.LOYALTY_APPLE_WWDR_CERT_PATH = ""

    assert [problem.setting for problem in credentials.problems()] == [inspection.TEAM, inspection.WWDR_PATH]
    with pytest.raises(NotConfigured, match=f"{inspection.TEAM}, {inspection.WWDR_PATH}"):
        credentials.current()


@pytest.mark.parametrize(("days", "code"), [(366, "expired"), (-1, "not_yet_valid")], ids=["expired", "clock behind"])
def test_the_clock_decides_at_each_call(apple: Chain, days: int, code: str) -> None:
    credentials.current()

    with time_machine.travel(timezone.now() + timedelta(days=days)):
        assert {problem.code for problem in credentials.problems()} == {code}
        with pytest.raises(BrokenCredential):
            credentials.current()

    assert credentials.configured()


def test_a_new_certificate_is_used_at_once(own: Chain, card: Callable[..., CardDescription]) -> None:
    before = credentials.current().fingerprint
    issuer = made.make_intermediate(own.root_issuer)
    made.write(own.intermediate, issuer)
    made.write(own.signer, made.make_signer(issuer, pass_type=PASS_TYPE, team=TEAM), own.signer_key)

    after = APPLE.render(card(), IDENTITY)

    assert credentials.current().fingerprint != before
    pkpass.read(after.content, root=own.root)


def test_passes_are_signed_while_the_files_are_swapped(own: Chain, card: Callable[..., CardDescription]) -> None:
    """The files change one after the other; meanwhile the pair before them signs, for a minute at most."""
    before = credentials.current()
    issuer = made.make_intermediate(own.root_issuer)
    leaf = made.make_signer(issuer, pass_type=PASS_TYPE, team=TEAM)

    made.write(own.intermediate, issuer)
    assert credentials.current() is before
    own.signer_key.write_bytes(made.pem_of(leaf.key))
    assert credentials.current() is before
    assert {problem.code for problem in credentials.problems()} >= {"key_mismatch"}
    pkpass.read(APPLE.render(card(), IDENTITY).content, root=own.root)
    made.write(own.signer, leaf)

    assert credentials.current().certificate == leaf.certificate
    assert credentials.problems() == []


def test_a_swap_that_never_ends_is_a_fault(own: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials.current()
    monkeypatch.setattr(credentials, "SWAP_SECONDS", 0)
    other_key(own)

    with pytest.raises(BrokenCredential, match="does not belong"):
        credentials.current()


def test_a_swap_under_load_never_fails(own: Chain) -> None:
    """Threads that sign while certificates change see the old or the new pair, and no error."""
    leaves = [made.make_signer(own.issuer, pass_type=PASS_TYPE, team=TEAM) for _ in range(3)]
    credentials.current()
    until = time.monotonic() + 2

    def ask() -> set[str]:
        seen = set()
        while time.monotonic() < until:
            found = credentials.current()
            assert found.certificate.public_key() == found.key.public_key()
            seen.add(found.fingerprint)
        return seen

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        for leaf in leaves:
            time.sleep(0.3)
            made.write(own.signer, leaf, own.signer_key)
        seen = set().union(*(one.result() for one in asked))

    assert len(seen) >= 3


def test_paths_are_shown_and_keys_are_not(own: Chain, tmp_path: Path) -> None:
    other_key(own)

    (problem,) = credentials.problems()

    assert str(tmp_path) in problem.detail
    assert "PRIVATE" not in problem.detail
