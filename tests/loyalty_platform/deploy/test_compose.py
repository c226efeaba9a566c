"""docker-compose.yml and the Dockerfile hold together: with the Procfile, the settings, and the files they name."""

import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from loyalty_platform.celery import QUEUES
from loyalty_platform.launcher.supervise import read_procfile
from tests.support.servers import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
OURS = {name: service for name, service in SERVICES.items() if service.get("image", "").startswith("loyalty-platform")}
PROCESSES = read_procfile(ROOT / "Procfile")
# An exact version: two numbers at least, or for the whole base image three.
PINNED = re.compile(r"^[\w./-]+:v?\d+\.\d+[\w.-]*$")
# Where the environment is read: the settings, and what runs before them.
READERS = [*(ROOT / "loyalty_platform/settings").glob("*.py"), ROOT / "loyalty_platform/gunicorn_conf.py"]
READERS += [ROOT / "core/metrics.py", ROOT / "core/api/health.py", ROOT / "loyalty_platform/deploy/healthcheck.py"]
READ = re.compile(r'(?:read\.\w+|text|required|number|environ\.get|names|flag)\(\s*f?"([A-Z_]+)"')
# What .env holds for the database and for `migrate`: whoever knows one gets past row-level security.
WITHHELD = {"OWNER_PASSWORD", "POSTGRES_PASSWORD"}
# Folders with secrets of the machine, which no clone has.
OF_THE_MACHINE = {"./tls", "./secrets"}


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def environment(service: dict[str, Any]) -> dict[str, Any]:
    return dict(service.get("environment", {}))


def known_names() -> set[str]:
    """Return every variable that the product reads."""
    names = {name for path in READERS for name in READ.findall(path.read_text())}
    return names | {f"OPERATOR_{part.upper()}" for part in settings.OPERATOR} | {"DJANGO_SETTINGS_MODULE"}


def test_every_process_has_a_service_with_its_command() -> None:
    commands = {name: service.get("command", "") for name, service in SERVICES.items()}

    assert {name: f"exec {commands[name]}" for name in PROCESSES} == PROCESSES
    assert set(OURS) == {*PROCESSES, "migrate"}


def test_every_queue_has_a_worker() -> None:
    taken = [queue for line in PROCESSES.values() for queue in ",".join(re.findall(r"--queues (\S+)", line)).split(",")]

    assert sorted(filter(None, taken)) == sorted(QUEUES)


def test_every_variable_that_is_named_is_read() -> None:
    given = {name for service in OURS.values() for name in environment(service)} - {"WORKER_NAME"} - WITHHELD
    proposed, _, for_compose = EXAMPLE.partition("# Read by docker-compose.yml only")
    names = set(re.findall(r"^#? ?([A-Z_]+)=", proposed, re.MULTILINE))

    assert len(known_names()) > 50
    assert (given | names) - known_names() == set()
    filled_in = set(re.findall(r"(?<!\$)\$\{([A-Z_]+):\?", TEXT))
    assert filled_in == {"POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD"}
    assert filled_in <= set(re.findall(r"^([A-Z_]+)=", for_compose, re.MULTILINE))


def test_what_must_be_given_is_proposed_or_set() -> None:
    required = set(re.findall(r'read\.(?:secrets?|required|redis|email|database|fernet_keys)\("([A-Z_]+)"',
                              (ROOT / "loyalty_platform/settings/base.py").read_text()))  # fmt: skip
    proposed = set(re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE))

    assert len(required) == 6
    assert required - proposed - set(environment(OURS["web"])) == set()


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_images_are_pinned(name: str) -> None:
    assert PINNED.match(SERVICES[name]["image"]), SERVICES[name]["image"]


def test_the_product_is_built_on_a_pinned_image_and_runs_as_nobody_special() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    last = DOCKERFILE.rpartition("\nFROM ")[2]

    assert len(bases) == 2
    assert all(re.match(r"^python:\d+\.\d+\.\d+-slim", base) for base in bases)
    assert int(re.findall(r"^USER (\d+)$", last, re.MULTILINE)[-1]) >= 1000
    assert last.index("USER 10001") < last.index("CMD [")
    assert "--require-hashes -r requirements/production.txt" in DOCKERFILE
    assert "HEALTHCHECK --interval=10s" in last
    assert (ROOT / "loyalty_platform/deploy/healthcheck.py").is_file()
    assert not any(line.startswith(("ENV SECRET", "ARG SECRET")) for line in DOCKERFILE.splitlines())


def test_nothing_secret_or_made_at_run_time_enters_the_image() -> None:
    left_out = (ROOT / ".dockerignore").read_text().split()

    assert {".git", ".env", "var", "tests", ".venv", "tls", "secrets"} <= set(left_out)
    assert {"/tls/", "/secrets/", ".env"} <= set((ROOT / ".gitignore").read_text().split())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_has_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]

    assert not {"privileged", "network_mode", "pid", "cap_add"} & set(service)
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))
    if name != "db":  # its entrypoint begins as root, to take its volume over
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    if name in OURS or name in {"nginx", "redis"}:
        assert service["read_only"] is True


def test_only_nginx_is_reached_from_outside() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "nginx": ["80:8080", "443:8443"]
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./"):
            assert source in OF_THE_MACHINE or (ROOT / source).exists(), source
        else:
            assert source in COMPOSE["volumes"], source
    for config in service.get("configs", []):
        assert config["source"] in COMPOSE["configs"]
    for other, wanted in service.get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"], other
        assert other in SERVICES


def test_every_volume_is_used() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}

    assert set(COMPOSE["volumes"]) - used == set()


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_services_are_watched_and_come_back(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["logging"]["options"]["max-size"]


def test_the_tables_are_made_before_anything_of_ours_starts_and_past_the_pool() -> None:
    migrate = SERVICES["migrate"]

    assert migrate["restart"] == "no"
    assert all(
        OURS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"} for name in PROCESSES
    )
    assert "@db:5432/" in environment(migrate)["DATABASE_OWNER_URL"]
    for name in PROCESSES:
        given = environment(OURS[name])
        assert "@pgbouncer:6432/" in given["DATABASE_URL"]
        assert given["DATABASE_PREPARE_AFTER"] == "${DATABASE_PREPARE_AFTER:-0}"
        assert given["TRUST_PROXY"] == "1"
        assert "DATABASE_OWNER_URL" not in given, "only migrations know the owner"


@pytest.mark.parametrize("name", sorted(OURS))
def test_no_process_of_ours_is_handed_the_passwords_of_the_database(name: str) -> None:
    service = OURS[name]
    given = environment(service)

    assert service["env_file"] == ".env"
    assert {given.get(secret) for secret in WITHHELD} == {""}
    known = {variable for variable, value in given.items() if any(f"${{{secret}" in str(value) for secret in WITHHELD)}
    assert known == ({"DATABASE_OWNER_URL"} if name == "migrate" else set())


def test_whoever_is_told_to_stop_has_the_time_to_finish() -> None:
    web, limit = OURS["web"], settings.CELERY_TASK_TIME_LIMIT

    assert seconds(web["stop_grace_period"]) > int(environment(web)["WEB_GRACEFUL_SECONDS"])
    for name in ("worker", "wallets", "apple", "google"):
        assert seconds(OURS[name]["stop_grace_period"]) > limit
        asked = OURS[name]["healthcheck"]["test"][1]
        called = re.findall(r"--hostname (\w+)@%h", OURS[name]["command"]) or ["celery"]
        assert environment(OURS[name]).get("WORKER_NAME", "celery") == called[0]
        assert "$${WORKER_NAME:-celery}@$$HOSTNAME" in asked


def test_there_are_several_web_processes_and_one_beat() -> None:
    assert OURS["web"]["deploy"]["replicas"] >= 2
    assert "deploy" not in OURS["beat"]
