"""What a developer's machine needs no environment for: generated secrets and the embedded servers."""

import base64
import json
import os
import secrets
from pathlib import Path

SECRETS = ("SECRET_KEY", "LOYALTY_PIN_PEPPERS", "LOYALTY_DATA_KEYS")
# Shown in the error message when nothing runs: the reader learns what to do.
NOTHING_RUNS = "/nothing-runs-here-start-make-run-first"
# The chain that the first start makes (manage.py make_dev_pass_certificates): for these names, in var/certs.
PASS_TYPE_ID, TEAM_ID = "pass.example.loyalty.development", "DEVTEAM001"
APPLE_FILES = {
    "LOYALTY_APPLE_WWDR_CERT_PATH": "wwdr.pem",
    "LOYALTY_APPLE_SIGNER_CERT_PATH": "signer.pem",
    "LOYALTY_APPLE_SIGNER_KEY_PATH": "signer.key",
}
APPLE_NAMES = ("LOYALTY_APPLE_PASS_TYPE_ID", "LOYALTY_APPLE_TEAM_ID", *APPLE_FILES)


def values(var: Path) -> dict[str, str]:
    """Return the generated secrets and, beside a running `make run`, the addresses of its servers."""
    return {
        "DATABASE_URL": f"postgresql://loyalty_app@/loyalty?host={NOTHING_RUNS}",
        "REDIS_URL": f"unix://{NOTHING_RUNS}",
        "EMAIL_URL": f"filemail:///{var / 'mail'}",
        "LOG_JSON": "0",
        **kept_secrets(var),
        **apple(var),
        **running(var),
    }


def apple(var: Path) -> dict[str, str]:
    """Return the development chain as credentials for Apple passes, when it was made.

    An environment that names any of them, be it as empty, says it all itself: nothing is mixed.
    """
    folder = var / "certs"
    if apple_given() or not all((folder / name).is_file() for name in APPLE_FILES.values()):
        return {}
    paths = {setting: str(folder / name) for setting, name in APPLE_FILES.items()}
    return {"LOYALTY_APPLE_PASS_TYPE_ID": PASS_TYPE_ID, "LOYALTY_APPLE_TEAM_ID": TEAM_ID, **paths}


def apple_given() -> bool:
    """Tell whether the environment has its own credentials for Apple, or says that there are none."""
    return any(name in os.environ for name in APPLE_NAMES)


def kept_secrets(var: Path) -> dict[str, str]:
    """Return the secrets of this clone; the first call makes them, readable for the owner only."""
    path = var / "secrets.json"
    kept: dict[str, str] = {}
    if path.is_file():
        kept = json.loads(path.read_text())
    missing = [name for name in SECRETS if not kept.get(name)]
    if missing:
        kept |= {name: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for name in missing}
        write_private(path, kept)
    return kept


def running(var: Path) -> dict[str, str]:
    """Return the addresses that a running `make run` wrote down, or nothing."""
    try:
        environment = json.loads((var / "run.json").read_text())["environment"]
    except (OSError, ValueError, KeyError):
        return {}
    return {str(name): str(value) for name, value in environment.items()}


def write_private(path: Path, content: dict[str, object] | dict[str, str]) -> None:
    """Replace a JSON file at once, with mode 600 from its first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    draft.replace(path)
