"""What we install is pinned to its bytes, and no secret of ours lies in the repository."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, shown

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^[A-Za-z0-9._-]+(?:\[[\w,-]+\])?==[\w.+!-]+(?: ; .+?)?(?: --hash=sha256:[0-9a-f]{64})+$")
# Each with a form of its own, so that a find is one. `password` = "…" is not looked for: tests are full of them.
SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"),
    "a key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a key of Google": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a client secret of Google": re.compile(r"\bGOCSPX-[0-9A-Za-z_-]{28}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{60,})\b"),
    "a token of GitLab": re.compile(r"\bglpat-[0-9A-Za-z_-]{20}\b"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{20,}"),
    "a key of Stripe": re.compile(r"\b[rs]k_live_[0-9A-Za-z]{20,}"),
    "a token of a package index": re.compile(r"\bpypi-[0-9A-Za-z_-]{50,}"),
    "a web token": re.compile(r"\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}"),
    "an address of Sentry": re.compile(r"https://[0-9a-f]{32}@[\w.-]+/\d+"),
    "an API key of ours": re.compile(r"\blk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\b"),
    # As `openssl rand -base64 32` writes it: digits, capitals and small letters, no words with hyphens.
    "a key of LOYALTY_DATA_KEYS or a pepper": re.compile(
        r"(?:LOYALTY_DATA_KEYS|LOYALTY_PIN_PEPPERS|SECRET_KEY)\s*[=:]\s*[\"']?"
        r"(?=[\w+/]*[0-9])(?=[\w+/]*[A-Z])(?=[\w+/]*[a-z])[A-Za-z0-9+/_]{40,}"
    ),
}
# Says "only-for-the-build" and lets the image collect its static files.
PUBLIC = ("b25seS1mb3ItdGhlLWJ1aWxkLW9ubHktZm9yLWJ1aWw=",)
KEPT_OUT = (".env", "*.p12", "*.pfx", "*.key", "*.pem", "secrets.json", "*.p8")


def files() -> Iterator[Path]:
    """Yield what belongs to the repository or would be added to it; without git, what lies there but for runtime's."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0 and done.stdout:
        yield from (ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file())
        return
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and parts[0] != "var" and not any(part.startswith(".venv") for part in parts):
            yield path


def secrets_in(text: str) -> list[str]:
    for known in PUBLIC:
        text = text.replace(known, "")
    return [name for name, pattern in SECRETS.items() if pattern.search(text)]


@pytest.mark.parametrize("lock", LOCKS, ids=shown)
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    wanted = [re.sub(r"\s+", " ", line.strip()) for line in lines if line.strip() and not line.strip().startswith("#")]

    assert len(wanted) > 30
    assert [line for line in wanted if not PINNED.match(line)] == []


def test_whoever_installs_checks_the_hashes() -> None:
    for name in ("loyalty_platform/launcher/setup.py", "Dockerfile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--require-hashes" in text, name


def test_a_lock_without_a_hash_is_noticed() -> None:
    assert PINNED.match(f"celery==5.5.3 --hash=sha256:{'0' * 64} --hash=sha256:{'1' * 64}")
    assert PINNED.match(f"colorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{'0' * 64}")
    for line in ("celery==5.5.3", f"celery>=5 --hash=sha256:{'0' * 64}", "celery @ https://host.example/celery.whl"):
        assert not PINNED.match(line)


def test_no_secret_lies_in_the_repository() -> None:
    found, read = {}, 0
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        read += 1
        if names := secrets_in(text):
            found[shown(path)] = names

    assert read > 500
    assert found == {}


def test_no_file_of_secrets_lies_in_the_repository() -> None:
    assert [shown(path) for path in files() if any(path.match(pattern) for pattern in KEPT_OUT)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a private key", "-----BEGIN RSA PRIVATE" + " KEY-----\n" + "MIIEpAIBAAKCAQEA" * 4),
        ("a key of AWS", "AKIA" + "IOSFODNN7EXAMPLE"),
        ("a client secret of Google", "GOCSPX" + "-" + "a1B2" * 7),
        ("a token of GitHub", "ghp" + "_" + "a1B2" * 9),
        ("an API key of ours", "lk" + "_a2b3c4d5_" + "x" * 43),
        ("a key of LOYALTY_DATA_KEYS or a pepper", "SECRET_" + "KEY=" + "q8Zt" * 11),
        ("an address of Sentry", "https:" + "//" + "0a" * 16 + "@o1.ingest.example/2"),
    ],
)
def test_a_secret_is_noticed(name: str, text: str) -> None:
    assert secrets_in(f"value: {text}\n") == [name]
