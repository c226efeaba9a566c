"""`make run` on real servers: a second start, kills, and a stop that leaves nothing.

The tests share one running stack and stand in the order of a life; the last one ends it.
"""

import signal
import stat
import subprocess
import sys

import psycopg
import pytest

from tests.stack.harness import Stack, free_port

pytestmark = pytest.mark.stack
PARTS = {"postgres", "valkey", "web", "worker", "wallets", "apple", "google", "beat", "relay"}


def test_it_works(stack: Stack) -> None:
    assert stack.status("/healthz") == 200
    assert set(stack.processes()) == PARTS
    assert "http://localhost:" in stack.output


def test_manage_finds_the_embedded_servers_without_environment(stack: Stack) -> None:
    shown = stack.manage(
        "shell", "-c", "from django.db import connection as c; c.cursor(); print(c.settings_dict['USER'])"
    )

    assert "loyalty_app" in shown


def test_secrets_are_readable_for_their_owner_only(stack: Stack) -> None:
    for name in ("secrets.json", "run.json"):
        mode = stat.S_IMODE((stack.folder / "var" / name).stat().st_mode)
        assert mode == 0o600, name


def test_the_first_start_signs_passes(stack: Stack) -> None:
    certificates = stack.folder / "var" / "certs"

    assert {path.name for path in certificates.iterdir()} == {"root.pem", "wwdr.pem", "signer.pem", "signer.key"}
    assert stat.S_IMODE((certificates / "signer.key").stat().st_mode) == 0o600
    shown = stack.manage("shell", "-c", "from wallets.providers.apple.provider import APPLE; print(APPLE.problems())")
    assert shown.strip().endswith("[]")


def test_a_wrong_password_is_refused_by_the_embedded_server(stack: Stack) -> None:
    sockets = f"{stack.run()['sockets']}/pg"

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=sockets, user="loyalty_owner", password="wrong", dbname="loyalty")
    assert "trust" not in rules_of(stack)


def test_a_second_start_in_the_same_clone_says_so_and_stops(stack: Stack) -> None:
    before = stack.processes()

    done = subprocess.run(
        [sys.executable, "-m", "loyalty_platform.launcher"],
        cwd=stack.folder,
        env=stack.environment(PORT=str(free_port())),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 1
    assert f"runs already at {stack.url}" in done.stderr
    assert stack.processes() == before
    assert stack.status() == 200


@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_a_killed_server_is_started_again(stack: Stack, server: str) -> None:
    killed = stack.kill(server)

    stack.wait_for(lambda: stack.processes()[server] != killed, 30, f"new {server}")
    stack.wait_for(lambda: stack.status("/readyz") == 200, 30, "readiness")

    assert f"{server} died and is started again" in stack.output
    assert stack.manage("migrate", "--check") == ""


def test_a_killed_launcher_takes_everything_along_and_a_new_start_recovers(stack: Stack) -> None:
    stack.kill("launcher")
    stack.process.wait(10)

    stack.start()

    assert stack.status() == 200
    assert "Preparing" not in stack.output, "nothing changed, so nothing is to be prepared"


def test_sigterm_stops_everything_and_leaves_no_process(stack: Stack) -> None:
    assert len(stack.remaining()) > len(PARTS)

    status = stack.stop(signal.SIGTERM)

    assert status == 0
    stack.assert_nothing_left()
    assert stack.run() == {}


@pytest.mark.parametrize("part", ["web", "worker", "relay"])
def test_a_master_that_dies_stops_the_stack_and_says_why(stack: Stack, part: str) -> None:
    if stack.process.poll() is not None:
        stack.start()

    stack.kill(part)

    assert stack.process.wait(40) == 1
    assert f"The {part} process ended (signal SIGKILL)" in stack.output
    stack.assert_nothing_left()


def test_ctrl_c_during_the_start_leaves_no_process(stack: Stack) -> None:
    stack.start(wait=False)
    stack.wait_for(lambda: "postgres" in stack.processes(), 30, "PostgreSQL")

    status = stack.stop(signal.SIGINT)

    assert status == 0
    stack.assert_nothing_left()


def rules_of(stack: Stack) -> str:
    """Return the lines of pg_hba.conf that are in force."""
    lines = (stack.folder / "var/pg/pg_hba.conf").read_text().splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.startswith("#"))
