"""The environment is read strictly: what is missing or not understood stops the start and says which."""

import os
import subprocess
import sys

import pytest

from tests.support.servers import ROOT

COMPLETE = {
    "SECRET_KEY": "a-secret-of-production-0123456789-abcdefghijklmnopqrstuvwxyz",
    "DATABASE_URL": "postgresql://loyalty_app:pw@db.example:6432/loyalty?sslmode=require",
    "REDIS_URL": "redis://redis.example:6379/0",
    "SITE_URL": "https://cards.example",
    "EMAIL_URL": "smtp+tls://user:pw@mail.example:587",
    "LOYALTY_PIN_PEPPERS": "p" * 40,
    "LOYALTY_DATA_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
}


def start(
    command: str = "from django.conf import settings as s; s.DEBUG", **changes: str | None
) -> subprocess.CompletedProcess[str]:
    """Start a production process with a complete environment and some changes (None: the variable is absent)."""
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production"}
    env |= {name: value for name, value in {**COMPLETE, **changes}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
    )


def test_it_works() -> None:
    done = start(
        "from django.conf import settings as s; d = s.DATABASES['default'];"
        "print(s.DEBUG, d['USER'], d['HOST'], d['PORT'], d['OPTIONS']['sslmode'], s.EMAIL_HOST, s.ALLOWED_HOSTS)"
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == (
        ["False", "loyalty_app", "db.example", "6432", "require", "mail.example", "['cards.example']"]
    )


@pytest.mark.parametrize("name", sorted(set(COMPLETE) - {"SITE_URL"}))
def test_a_missing_value_stops_the_start_and_is_named(name: str) -> None:
    done = start(**{name: None})

    assert done.returncode != 0
    assert f"The environment variable {name} is missing" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "short", "at least 32 characters"),
        ("LOYALTY_PIN_PEPPERS", "p" * 40 + ",short", "at least 32 characters each"),
        ("LOYALTY_DATA_KEYS", "k" * 40, "a list of keys"),
        ("LOYALTY_DEFAULT_COOLDOWN_MINUTES", "soon", "a whole number"),
        ("LOYALTY_DEFAULT_COOLDOWN_MINUTES", "-1", "between 0 and 10080"),
        ("LOYALTY_PIN_MAX_FAILED_ATTEMPTS", "0", "between 1 and 100"),
        ("LOYALTY_DEFAULT_POINTS_PER_EURO", "1/0", "a number such as"),
        ("LOYALTY_DEFAULT_POINTS_PER_EURO", "0", "greater than 0"),
        ("TRUST_PROXY", "maybe", "1 or 0"),
        ("SITE_URL", "cards.example", "begins with https://"),
        ("DATABASE_URL", "postgresql://a b@/x", "postgresql://"),
        ("REDIS_URL", "http://redis.example", "redis://"),
    ],
)
def test_a_value_that_is_not_understood_stops_the_start_and_is_named(name: str, value: str, said: str) -> None:
    done = start(**{name: value})

    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert name in last
    assert said in last


def test_an_empty_value_counts_as_missing() -> None:
    assert "SECRET_KEY is missing" in start(SECRET_KEY="").stderr


@pytest.mark.parametrize(("given", "expected"), [("10", "10"), ("0.1", "1/10"), ("1/50", "1/50")])
def test_a_rate_is_an_exact_fraction(given: str, expected: str) -> None:
    done = start(
        "from django.conf import settings as s; print(s.LOYALTY_DEFAULT_POINTS_PER_EURO)",
        LOYALTY_DEFAULT_POINTS_PER_EURO=given,
    )

    assert done.stdout.strip() == expected


@pytest.mark.parametrize("given", ["unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"])
def test_a_socket_is_written_as_each_reader_wants_it(given: str) -> None:
    done = start("from django.conf import settings as s; print(s.REDIS_URL, s.CELERY_BROKER_URL)", REDIS_URL=given)

    assert done.stdout.split() == ["unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"]


def test_deployment_has_no_warnings() -> None:
    done = start("from django.core.management import execute_from_command_line as run; run(['', 'check', '--deploy'])")

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


def test_migrations_refuse_without_the_owner() -> None:
    done = start("from django.core.management import execute_from_command_line as run; run(['', 'migrate'])")

    assert done.returncode != 0
    assert "DATABASE_OWNER_URL is missing" in done.stderr
