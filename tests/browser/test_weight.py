"""A customer's page weighs at most 60,000 bytes on the wire, files compressed and named as in production."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.browser.addresses import SHOP, faces
from tests.support.house import House

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MOST = 60_000
FONT = (".woff2", ".woff")


@pytest.fixture
def built_site(real_db: Any, settings: Any, tmp_path: Path) -> Iterator[Any]:
    """Serve the site with its files collected and compressed, by WhiteNoise alone."""
    from pytest_django.live_server_helper import LiveServer

    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_FINDERS = ["loyalty_platform.static.SheetFinder"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "loyalty_platform.static.StaticStorage"}}
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    call_command("collectstatic", interactive=False, verbosity=0)
    server = LiveServer("localhost", start=False)
    server.thread.static_handler = lambda application: application
    server.start()
    settings.SITE_URL, settings.CSRF_TRUSTED_ORIGINS = server.url, [server.url]
    yield server
    server.stop()


class Scales:
    """Weighs what a page fetches until it has loaded, as it came over the wire, headers included."""

    def __init__(self, page: Any) -> None:
        self.weights: dict[str, int] = {}
        self.encodings: dict[str, str] = {}
        self._urls: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._named)
        session.on("Network.loadingFinished", self._weighed)
        session.send("Network.enable")

    def _named(self, event: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
        self._urls[event["requestId"]] = url = event["response"]["url"]
        self.encodings[url] = headers.get("content-encoding", "")

    def _weighed(self, event: dict[str, Any]) -> None:
        url = self._urls.get(event["requestId"], "")
        if not url.endswith(FONT):
            self.weights[url] = int(event["encodedDataLength"])


def test_the_first_view_of_every_customers_page(built_site: Any, chromium: Any) -> None:
    people = faces(House.make("ours"))
    faults, seen = {}, 0
    for face in (people["visitor"], people["customer"]):
        for path in face.pages(SHOP):
            context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
            context.add_cookies(face.cookies(built_site.url))
            page = context.new_page()
            scales = Scales(page)
            page.goto(f"{built_site.url}{path}", wait_until="networkidle")
            styles = {url: kind for url, kind in scales.encodings.items() if url.endswith((".css", ".js"))}
            loose = [url for url, kind in styles.items() if "/static/" in url and kind not in ("br", "gzip")]
            total = sum(scales.weights.values())
            context.close()
            seen += 1
            assert styles, path
            if total > MOST or loose:
                faults[path] = (total, loose, sorted(scales.weights.items(), key=lambda one: -one[1])[:6])

    assert faults == {}
    assert seen >= 14
