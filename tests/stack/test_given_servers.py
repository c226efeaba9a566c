"""`make run` on servers that the environment names, and two clones side by side."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loyalty_platform.launcher import roles
from loyalty_platform.launcher.postgres import Postgres
from loyalty_platform.launcher.state import short_folder
from loyalty_platform.launcher.supervise import read_procfile
from loyalty_platform.launcher.valkey import Valkey
from tests.stack.harness import ROOT, Stack, stack_folder

pytestmark = pytest.mark.stack
PROCESSES = read_procfile(ROOT / "Procfile")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the addresses of a PostgreSQL, as its administrator, and of a Valkey; neither is ours."""
    folder: Path = tmp_path_factory.mktemp("given")
    sockets = short_folder()
    (sockets / "pg").mkdir()
    postgres = Postgres(data=folder / "pg", sockets=sockets / "pg", log=folder / "pg.log", password="admin-password")
    valkey = Valkey(sockets=sockets, log=folder / "valkey.log")
    postgres.start()
    valkey.start()
    yield {"DATABASE_URL": roles.as_url(postgres.address(database="shop")), "REDIS_URL": valkey.address}
    postgres.stop()
    valkey.stop()
    shutil.rmtree(sockets, ignore_errors=True)


def test_given_servers_are_used_by_two_clones_at_once(own_stack: Stack, given: dict[str, str]) -> None:
    with Stack(stack_folder()) as other:
        own_stack.start(**given)
        other.start(**given)

        assert own_stack.status("/readyz") == other.status("/readyz") == 200
        assert set(own_stack.processes()) == set(other.processes()) == set(PROCESSES)
        assert own_stack.manage("migrate", "--check") == ""
        assert other.stop(signal.SIGTERM) == 0
        assert own_stack.stop(signal.SIGTERM) == 0
        own_stack.assert_nothing_left()
        other.assert_nothing_left()
    with psycopg.connect(given["DATABASE_URL"]) as connection:
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'loyalty_card'").fetchone()
    assert owner == ("loyalty_owner",)
