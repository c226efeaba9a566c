"""The configurations of nginx, PgBouncer and PostgreSQL say what the product needs, and their programs take them."""

import configparser
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from core import images, media
from loyalty_platform import gunicorn_conf
from loyalty_platform.deploy import healthcheck
from loyalty_platform.launcher import unprivileged
from loyalty_platform.launcher.postgres import binaries
from tests.support import topology
from tests.support.servers import ROOT

FOLDER = ROOT / "loyalty_platform/deploy"
NGINX = (FOLDER / "nginx.conf").read_text()
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
NAME = "0123456789abcdef" * 2


def directive(name: str) -> str:
    """Return the value of a directive that stands once in nginx's configuration."""
    found = re.findall(rf"^\s*{name} ([^;]+);", NGINX, re.MULTILINE)
    assert found, name
    return str(found[0])


def pool() -> configparser.SectionProxy:
    read = configparser.ConfigParser(inline_comment_prefixes=None)
    read.read(FOLDER / "pgbouncer.ini")
    return read["pgbouncer"]


def postgres() -> dict[str, str]:
    lines = (FOLDER / "postgresql.conf").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'") for name, value in pairs}


def test_nginx_finds_the_web_where_the_container_listens() -> None:
    bind = re.search(r"WEB_BIND=0\.0\.0\.0:(\d+)", (ROOT / "Dockerfile").read_text())
    assert bind

    assert f"server web:{bind[1]} " in NGINX
    assert (
        set(re.findall(r"proxy_pass http://(\w+);", NGINX)) == set(re.findall(r"upstream (\w+) \{", NGINX)) == {"web"}
    )
    listens = set(re.findall(r"^\s*listen (\d+)", NGINX, re.MULTILINE))
    assert {port.split(":")[1] for port in SERVICES["nginx"]["ports"]} == listens


def test_nginx_reads_what_is_mounted() -> None:
    mounts = {volume.split(":")[1] for volume in SERVICES["nginx"]["volumes"]}

    assert {"/srv/static", "/srv/media", "/srv/acme", "/etc/nginx/tls", "/etc/nginx/nginx.conf"} == mounts
    assert all(volume.endswith(":ro") for volume in SERVICES["nginx"]["volumes"])
    assert all(path.startswith("/etc/nginx/tls/") for path in re.findall(r"ssl_certificate(?:_key)? ([^;]+);", NGINX))


def test_times_and_sizes_fit_those_of_the_product() -> None:
    assert int(directive("client_max_body_size").removesuffix("m")) * 1_000_000 > images.MAX_BYTES
    assert int(directive("client_max_body_size").removesuffix("m")) * 1_048_576 < 10_000_000
    # nginx gives an idle connection up before gunicorn does, and waits for a request longer than gunicorn lets it run.
    idle = re.search(r"keepalive 32;.*?keepalive_timeout (\d+)s;", NGINX, re.DOTALL)
    assert idle
    assert int(idle[1]) < gunicorn_conf.keepalive
    assert int(directive("proxy_read_timeout").removesuffix("s")) > gunicorn_conf.timeout
    assert directive("ssl_protocols") == "TLSv1.2 TLSv1.3"
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in NGINX
    assert "$proxy_add_x_forwarded_for" not in NGINX


def test_nginx_writes_down_neither_people_nor_paths() -> None:
    written = re.search(r"log_format lines(.*?);\n", NGINX, re.DOTALL)
    assert written

    assert not re.search(r"\$(?:remote_addr|request\b(?!_)|request_uri|uri|args|http_|cookie_|query)", written[1])
    assert "$request_id" in written[1]
    assert directive("error_log") == "stderr crit"


@pytest.mark.parametrize(
    "file", ["{0}.png", "{0}.webp", "{0}-s.webp", "{0}.svg", "{0}-x.png", "../{0}.png", "x{0}.png"]
)
@pytest.mark.parametrize("folder", ["logos", "rewards", "wallets", "exports"])
def test_nginx_serves_the_pictures_that_the_product_would(folder: str, file: str) -> None:
    pattern = re.search(r'location ~ "([^"]+)"', NGINX)
    assert pattern
    name = f"{folder}/{file.format(NAME)}"

    assert bool(re.search(pattern[1], f"/media/{name}")) == bool(media.NAMED.fullmatch(name))


def test_the_pool_is_one_of_transactions_and_fits_into_the_database() -> None:
    settings, database = pool(), postgres()

    assert settings["pool_mode"] == "transaction"
    most = int(settings["max_db_connections"])
    assert int(settings["default_pool_size"]) + int(settings["reserve_pool_size"]) <= most
    assert most <= int(database["max_connections"]) - int(database["superuser_reserved_connections"]) - 20
    assert int(settings["query_wait_timeout"]) < gunicorn_conf.timeout
    text = (FOLDER / "pgbouncer.ini").read_text()
    assert "loyalty = host=db port=5432 dbname=loyalty" in text
    assert {"db", "pgbouncer"} <= set(SERVICES)
    [users] = SERVICES["pgbouncer"]["configs"]
    assert users["target"] == settings["auth_file"]


def test_an_acknowledged_stamp_is_on_the_disk() -> None:
    database = postgres()

    assert [database[name] for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert database["log_parameter_max_length"] == database["log_parameter_max_length_on_error"] == "0"
    assert database["timezone"] == "UTC"


def test_postgresql_takes_the_file(tmp_path: Path) -> None:
    """Every name and value is read by the server of this machine: an unknown one stops it."""
    file = tmp_path / "postgresql.conf"
    file.write_text((FOLDER / "postgresql.conf").read_text())
    (tmp_path / "data").mkdir(mode=0o700)
    way = unprivileged.choose(binaries() / "postgres")
    way.own(tmp_path, file)
    program = [str(binaries() / "postgres"), "-D", str(tmp_path / "data"), f"--config-file={file}"]

    done = subprocess.run(way.wrap([*program, "-C", "max_wal_size"]), capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "4096"), done.stderr


def test_nginx_takes_the_file(tmp_path: Path) -> None:
    """By nginx itself where it is; elsewhere this says that only braces and ends of lines were looked at."""
    program = topology.found("nginx")
    if program is None:
        print("nginx is not on this machine: its configuration was not tried by it")
        assert NGINX.count("{") == NGINX.count("}")
        return
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    files = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    changes = {
        "/tmp/nginx": str(tmp_path / "nginx"),
        "/etc/nginx/tls": str(tmp_path),
        "server web:8000": "server 127.0.0.1:8000",
    }
    (tmp_path / "nginx.conf").write_text(topology.replaced(NGINX, changes))

    done = subprocess.run(
        [program, "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr.replace('"user" directive', "")


class Web(BaseHTTPRequestHandler):
    """Answers /healthz for its own host name only, as the product does."""

    def do_GET(self) -> None:
        well = self.path == "/healthz" and self.headers["Host"] == "cards.example"
        self.send_response(200 if well else 400)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[int]:
    """Yield the port of a server."""
    server = HTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_health_check_asks_by_the_name_of_the_site(web: int) -> None:
    assert healthcheck.answers(f"0.0.0.0:{web}", "https://cards.example")
    assert healthcheck.answers(f"127.0.0.1:{web},[::1]:{web}", "https://cards.example")
    assert not healthcheck.answers(f"0.0.0.0:{web}", "https://another.example")
    assert not healthcheck.answers(f"0.0.0.0:{topology.free_port()}", "https://cards.example")
