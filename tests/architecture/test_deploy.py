"""Production settings: Django's own deployment checks find nothing, and a secret that is missing stops the start."""

import os
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

SECRETS = {
    "SECRET_KEY": "deploy-check-0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ-!%&()=?",
    "LOYALTY_PIN_PEPPERS": "a-pepper-for-the-check-0123456789abcdef",
    "LOYALTY_DATA_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "DATABASE_URL": "postgresql://loyalty_app:secret@database.example/loyalty",
    "REDIS_URL": "rediss://redis.example:6379/0",
    "EMAIL_URL": "smtp+tls://mail:secret@mail.example:587",
}
REST = {
    "SITE_URL": "https://cards.example",
    "ALLOWED_HOSTS": "cards.example",
    "DATABASE_OWNER_URL": "postgresql://loyalty_owner:secret@database.example/loyalty",
    "TRUST_PROXY": "1",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production", **environment}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_deployment_checks_find_nothing() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **SECRETS, **REST)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "System check identified no issues" in done.stdout + done.stderr


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_value_stops_the_start_and_says_which(name: str) -> None:
    done = manage("check", **{**SECRETS, **REST, name: ""})

    assert done.returncode != 0
    assert f"The environment variable {name} is missing: it" in done.stderr


def test_migrations_need_the_owners_address() -> None:
    done = manage("migrate", "--plan", **{**SECRETS, **REST, "DATABASE_OWNER_URL": ""})

    assert done.returncode != 0
    assert "DATABASE_OWNER_URL" in done.stderr
