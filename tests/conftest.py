"""Fixtures of the whole suite: real servers, copies of a migrated database, a real browser.

The controlling process starts the servers once; parallel workers share them, each with a database and a Redis number of
its own. Tests log in as loyalty_app, so row-level security holds in them as it does in production.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.utils import translation
from psycopg.conninfo import conninfo_to_dict

from core import throttling
from loyalty_platform.launcher.preparation import compile_messages
from loyalty_platform.settings.environment import database_settings
from tests.support.scheduling import StackTogether
from tests.support.servers import ENVIRONMENT, ROOT, Endpoint, Servers

ENDPOINT = "LOYALTY_TEST_ENDPOINT"
REDIS_DATABASES = 16
NO_TRUNCATE = (
    "The ledger refuses TRUNCATE, so a test with real commits takes the fixture `real_db` (a fresh copy of the "
    "migrated database) instead of transactional_db."
)
_servers: list[Servers] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the controlling process and point the settings of every process to them."""
    if not hasattr(config, "workerinput"):
        compile_messages(ROOT)
        servers = Servers()
        _servers.append(servers)
        endpoint = servers.start()
        os.environ[ENDPOINT] = json.dumps(asdict(endpoint))
        os.environ[ENVIRONMENT] = json.dumps(endpoint.environment("no_database_before_a_fixture_asks"))
    _use_redis(_endpoint())


def pytest_unconfigure() -> None:
    """Stop the servers when the controlling process ends."""
    while _servers:
        _servers.pop().stop()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StackTogether:
    """Keep the tests that share a running stack on one worker."""
    return StackTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse tests that would TRUNCATE."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker is not None and marker.kwargs.get("transaction"):
            raise pytest.UsageError(f"{item.nodeid}: {NO_TRUNCATE}")


def _endpoint() -> Endpoint:
    return Endpoint(**json.loads(os.environ[ENDPOINT]))


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _use_redis(endpoint: Endpoint) -> None:
    """Give each worker a Redis database of its own: clearing the cache is a FLUSHDB."""
    number = int(re.sub(r"\D", "", _worker()) or 0) % REDIS_DATABASES
    settings.REDIS_URL = f"{endpoint.redis}?db={number}"
    settings.CELERY_BROKER_URL = settings.REDIS_URL.replace("unix://", "redis+socket://").replace(
        "db=", "virtual_host="
    )
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL


def _use_database(endpoint: Endpoint, name: str) -> None:
    """Point this process to a database, as the application's role."""
    connections.close_all()
    settings.DATABASE_OWNER_URL = endpoint.owner(name)
    connections.settings["default"].update(database_settings(conninfo_to_dict(endpoint.app(name))))
    connections["default"].settings_dict.update(connections.settings["default"])


@pytest.fixture(scope="session")
def endpoint() -> Endpoint:
    """How to reach the suite's servers."""
    return _endpoint()


@pytest.fixture(scope="session")
def django_db_setup(endpoint: Endpoint, django_db_blocker: Any) -> Iterator[None]:
    """Give this worker a copy of the migrated template, in place of pytest-django's own test database."""
    name = f"test_{_worker()}"
    endpoint.copy_template(name)
    _use_database(endpoint, name)
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    endpoint.drop_database(name)


@pytest.fixture
def transactional_db() -> None:
    """Refuse pytest-django's fixture of this name."""
    pytest.fail(NO_TRUNCATE)


@dataclass(frozen=True)
class RealDatabase:
    """A database of one test's own: real commits, as many connections and threads as it likes."""

    name: str
    app_url: str
    owner_url: str
    superuser_url: str

    def connect_as_app(self, **options: Any) -> psycopg.Connection:
        """Open a second connection as the application's role."""
        return psycopg.connect(self.app_url, **options)

    def connect_as_owner(self, **options: Any) -> psycopg.Connection:
        """Open a connection as the owner of the tables."""
        return psycopg.connect(self.owner_url, **options)

    def connect_as_superuser(self, **options: Any) -> psycopg.Connection:
        """Open a connection as the administrator, to look behind the scenes."""
        return psycopg.connect(self.superuser_url, **options)


@pytest.fixture
def real_db(endpoint: Endpoint, django_db_setup: None, django_db_blocker: Any) -> Iterator[RealDatabase]:
    """Yield a fresh copy of the migrated database, with real commits; Django's connections use it meanwhile."""
    name, usual = f"real_{_worker()}", f"test_{_worker()}"
    endpoint.copy_template(name)
    with django_db_blocker.unblock():
        _use_database(endpoint, name)
        try:
            yield RealDatabase(name, endpoint.app(name), endpoint.owner(name), endpoint.superuser(name))
        finally:
            _use_database(endpoint, usual)
    endpoint.drop_database(name)


@pytest.fixture(autouse=True, scope="session")
def _patience() -> None:
    """Wait for Redis longer than a request may: on a busy machine it would count as away."""
    throttling.TIMEOUT_SECONDS = 1.0


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    """Leave no throttle, lock or message of one test to the next."""
    cache.clear()


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """Leave the language of a request to no test behind it: it stays active until the next one."""
    yield
    translation.deactivate()


@pytest.fixture
def broker() -> str:
    """The address of a real, empty Valkey, as redis-py reads it; Celery's settings name the same one."""
    return str(settings.REDIS_URL)


@pytest.fixture
def site(real_db: RealDatabase) -> Iterator[Any]:
    """Serve the site to a browser, on a free port (`site.url`), from a database with real commits.

    It stands in for pytest-django's live_server, which would TRUNCATE.
    """
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from pytest_django.live_server_helper import LiveServer

    server = LiveServer("localhost", start=False)
    # The files as they stand in the tree: what was collected into var/static may be of yesterday, or not be there.
    server.thread.static_handler = StaticFilesHandler
    server.start()
    previous = settings.SITE_URL, list(settings.CSRF_TRUSTED_ORIGINS)
    settings.SITE_URL, settings.CSRF_TRUSTED_ORIGINS = server.url, [server.url]
    yield server
    server.stop()
    settings.SITE_URL, settings.CSRF_TRUSTED_ORIGINS = previous


def chromium_path() -> str | None:
    """Return the system's Chromium, or the one that CHROMIUM_PATH names."""
    named = os.environ.get("CHROMIUM_PATH")
    candidates = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return named or next(filter(None, map(shutil.which, candidates)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Yield a headless Chromium (playwright's Browser); without one the test is reported as skipped, in CI it fails."""
    path = chromium_path()
    if path is None:
        sentence = "no Chromium here: install it, or name it in CHROMIUM_PATH"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; Django's own calls here are synchronous all the same.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """Yield a fresh page in a context of its own, at a phone's width."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    yield context.new_page()
    context.close()
