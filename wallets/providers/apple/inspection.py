"""Reads the files of a pass certificate and names what is wrong with them, exactly: the operator sees nothing else."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from wallets.providers.apple import identifiers
from wallets.providers.base import Problem

PASS_TYPE = "LOYALTY_APPLE_PASS_TYPE_ID"  # noqa: S105 - a setting's name
TEAM = "LOYALTY_APPLE_TEAM_ID"
WWDR_PATH = "LOYALTY_APPLE_WWDR_CERT_PATH"
CERT_PATH = "LOYALTY_APPLE_SIGNER_CERT_PATH"
KEY_PATH = "LOYALTY_APPLE_SIGNER_KEY_PATH"

T = TypeVar("T")
SigningKey = RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where the credentials are and what they are for, as the settings say."""

    pass_type_id: str
    team_id: str
    intermediates_path: str
    certificate_path: str
    key_path: str


@dataclass(frozen=True, slots=True)
class Credential:
    """What signs passes and proves to Apple's push service who we are.

    root: only where the file of intermediates has it, too. not_after: end of the certificate's validity.
    usable_until: end of its chain's.
    fingerprint: SHA-256 of the certificate (DER, hex); it names the credential wherever its health is kept.
    """

    pass_type_id: str
    team_id: str
    key: SigningKey
    certificate: x509.Certificate
    intermediate: x509.Certificate
    root: x509.Certificate | None
    not_before: datetime
    not_after: datetime
    usable_until: datetime
    fingerprint: str
    certificate_path: str
    key_path: str


class Fault(Exception):
    """A file cannot be used at all; carries the problem to show."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def inspect(wanted: Configuration) -> tuple[Credential | None, list[Problem]]:
    """Read the files; returns the credential, None when it cannot be used at all, and all that is wrong with it."""
    problems: list[Problem] = []
    certificate = _noted(problems, lambda: _certificate(wanted.certificate_path))
    key = _noted(problems, lambda: _key(wanted.key_path))
    issuers = _noted(problems, lambda: _certificates(WWDR_PATH, wanted.intermediates_path)) or []
    if certificate is not None:
        problems += _unfit(certificate, wanted)
        if key is not None and certificate.public_key() != key.public_key():
            problems.append(_mismatch(wanted))
    intermediate = None
    if certificate is not None and issuers:
        intermediate = _noted(problems, lambda: _issuer(certificate, issuers, wanted.intermediates_path))
    if certificate is None or key is None or intermediate is None:
        return None, problems
    root = next((one for one in issuers if identifiers.key_id(one) == identifiers.issuer_key_id(intermediate)), None)
    return _credential(wanted, certificate, key, intermediate, root), problems


def out_of_date(credential: Credential, at: datetime) -> Iterator[Problem]:
    """Yield what the clock says of the pass certificate and of its intermediate."""
    for setting, kind, found in (
        (CERT_PATH, "The pass certificate", credential.certificate),
        (WWDR_PATH, "Apple's intermediate", credential.intermediate),
    ):
        if found.not_valid_after_utc < at:
            detail = f"{kind} expired on {found.not_valid_after_utc:%Y-%m-%d}: renew it in Apple's developer portal."
            yield Problem("expired", setting, detail)
        if found.not_valid_before_utc > at:
            since, now = f"{found.not_valid_before_utc:%Y-%m-%d %H:%M}", f"{at:%Y-%m-%d %H:%M}"
            detail = f"{kind} is valid from {since} UTC, and the clock here says {now} UTC."
            yield Problem("not_yet_valid", setting, detail)


def read(setting: str, path: str) -> bytes:
    """Return a file's content; raises Fault when it is not there or may not be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise Fault(Problem("file_missing", setting, f"{setting} names {path}, which does not exist.")) from None
    except OSError as error:
        detail = f"{setting} names {path}, which cannot be read: {error.strerror}."
        raise Fault(Problem("file_unreadable", setting, detail)) from None


def _noted(problems: list[Problem], load: Callable[[], T]) -> T | None:
    """Return what a loader loads; a fault is noted instead, so that one does not hide the next."""
    try:
        return load()
    except Fault as fault:
        problems.append(fault.problem)
        return None


def _certificate(path: str) -> x509.Certificate:
    return _certificates(CERT_PATH, path)[0]


def _certificates(setting: str, path: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM file, or the one of a DER file as Apple hands it out."""
    content = read(setting, path)
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        detail = f"{setting} names {path}, which holds no certificate (PEM or DER)."
        raise Fault(Problem("not_a_certificate", setting, detail)) from None


def _key(path: str) -> SigningKey:
    content = read(KEY_PATH, path)
    load = serialization.load_pem_private_key if b"-----BEGIN" in content else serialization.load_der_private_key
    try:
        key = load(content, None)
    except TypeError:
        detail = f"{path} is protected by a password: write the key without one (openssl pkey -in … -out …)."
        raise Fault(Problem("key_encrypted", KEY_PATH, detail)) from None
    except ValueError:
        detail = f"{KEY_PATH} names {path}, which holds no private key (PEM or DER)."
        raise Fault(Problem("not_a_key", KEY_PATH, detail)) from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise Fault(Problem("not_a_key", KEY_PATH, f"{path} holds a key that signs no passes: RSA is needed."))
    return key


def _unfit(certificate: x509.Certificate, wanted: Configuration) -> Iterator[Problem]:
    pass_type, team = identifiers.pass_type_of(certificate), identifiers.team_of(certificate)
    if not identifiers.is_for_passes(certificate):
        detail = (
            f"{wanted.certificate_path} is no pass certificate (its subject is "
            f"{identifiers.shown_name(certificate.subject)!r}): make one for the pass type in Apple's developer portal."
        )
        yield Problem("not_a_pass_certificate", CERT_PATH, detail)
    elif pass_type != wanted.pass_type_id:
        detail = f"{PASS_TYPE} is {wanted.pass_type_id}, but the certificate is for {pass_type or 'no pass type'}."
        yield Problem("wrong_pass_type", PASS_TYPE, detail)
    elif team != wanted.team_id:
        detail = f"{TEAM} is {wanted.team_id}, but the certificate belongs to team {team or '(none)'}."
        yield Problem("wrong_team", TEAM, detail)


def _mismatch(wanted: Configuration) -> Problem:
    detail = f"The key {wanted.key_path} does not belong to the certificate {wanted.certificate_path}."
    return Problem("key_mismatch", KEY_PATH, detail)


def _issuer(certificate: x509.Certificate, issuers: Sequence[x509.Certificate], path: str) -> x509.Certificate:
    """Return the certificate that issued another, found by key identifier and proven by its signature."""
    wanted = identifiers.issuer_key_id(certificate)
    fitting = [one for one in issuers if identifiers.key_id(one) == wanted]
    if not wanted:
        fitting = [one for one in issuers if one.subject == certificate.issuer]
    if not fitting:
        there = ", ".join(identifiers.shown_name(one.subject) for one in issuers)
        needed = f"{identifiers.shown_name(certificate.issuer)}, key {wanted.hex() or 'unknown'}"
        detail = f"{path} lacks the intermediate that issued the pass certificate: {needed}. There is: {there}."
        raise Fault(Problem("wrong_intermediate", WWDR_PATH, detail))
    # A renewed intermediate keeps its key: the one that is valid longest serves longest.
    best = max(fitting, key=lambda one: one.not_valid_after_utc)
    try:
        certificate.verify_directly_issued_by(best)
    except (InvalidSignature, ValueError, TypeError):
        detail = f"The pass certificate was not signed by {identifiers.shown_name(best.subject)} in {path}."
        raise Fault(Problem("wrong_intermediate", WWDR_PATH, detail)) from None
    return best


def _credential(
    wanted: Configuration, certificate: x509.Certificate, key: SigningKey, intermediate: x509.Certificate,
    root: x509.Certificate | None,
) -> Credential:  # fmt: skip
    return Credential(
        pass_type_id=wanted.pass_type_id,
        team_id=wanted.team_id,
        key=key,
        certificate=certificate,
        intermediate=intermediate,
        root=root,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        usable_until=min(certificate.not_valid_after_utc, intermediate.not_valid_after_utc),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        certificate_path=wanted.certificate_path,
        key_path=wanted.key_path,
    )
