"""The embedded PostgreSQL in odd places and after accidents."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from loyalty_platform.launcher import process, unprivileged
from loyalty_platform.launcher.errors import CannotStart
from loyalty_platform.launcher.postgres import Postgres
from loyalty_platform.launcher.state import LONGEST_FOLDER, short_folder

Maker = Callable[..., Postgres]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Maker]:
    """Yield a maker of servers on one data directory, in a deep path with a space."""
    made: list[Postgres] = []
    data = tmp_path / "a space" / ("deep" * 20) / ("deeper" * 20) / "pg"

    def maker(password: str = "first") -> Postgres:
        sockets = short_folder() / "pg"
        sockets.mkdir()
        server = Postgres(data=data, sockets=sockets, log=tmp_path / "log", password=password)
        made.append(server)
        return server

    yield maker
    for server in made:
        server.stop()
        shutil.rmtree(server.sockets.parent)


def answer(server: Postgres) -> tuple[str, ...] | None:
    with psycopg.connect(server.address()) as connection:
        return connection.execute("SELECT current_user::text").fetchone()


def test_it_works_in_a_deep_path_with_a_space(make: Maker) -> None:
    server = make()

    server.start()

    assert len(str(server.data)) > 108
    assert answer(server) == ("postgres",)
    assert len(str(server.sockets)) < LONGEST_FOLDER


def test_a_stop_leaves_no_process(make: Maker) -> None:
    server = make()
    server.start()
    leader = server.process.pid

    server.stop()

    assert process.group_members(leader) == []
    assert not (server.data / "postmaster.pid").exists()


def test_it_starts_after_a_kill(make: Maker) -> None:
    server = make()
    server.start()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    server.start()

    assert answer(server) == ("postgres",)


def test_it_starts_although_a_server_of_a_killed_launcher_still_runs(make: Maker) -> None:
    orphan, server = make(), make()
    orphan.start()

    server.start()

    assert answer(server) == ("postgres",)
    assert not orphan.alive()


def test_a_pid_file_that_names_a_stranger_harms_nobody(make: Maker) -> None:
    server = make()
    server.start()
    server.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (server.data / "postmaster.pid").write_text(f"{stranger.pid}\n{server.data}\n")

    server.start()

    assert answer(server) == ("postgres",)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_lost_password_is_set_anew(make: Maker) -> None:
    first = make()
    first.start()
    first.stop()

    second = make(password="second")
    second.start()

    assert answer(second) == ("postgres",)


def test_data_of_another_version_is_left_alone(make: Maker) -> None:
    server = make()
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("9\n")

    with pytest.raises(CannotStart, match="was made by PostgreSQL 9"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_finds_a_way_that_is_not_root(make: Maker) -> None:
    server = make()
    way = unprivileged.choose(server.bin / "postgres")

    shown = subprocess.run(way.wrap(["id", "-u"]), capture_output=True, text=True, check=True).stdout

    assert shown.strip() != "0"
