"""The API's document and its page: committed, complete, and shown without a foreign host under the strict policy."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS

from core.api import schema
from core.management.commands import openapi
from tests.architecture.source import ROOT

METHODS = {"get", "post", "put", "patch", "delete"}
# In a process of its own: only the first document of a process is made of classes that nobody has loaded yet.
FIRST_VISITORS = """
import sys, threading, django
django.setup()
from core.api import schema
sys.setswitchinterval(1e-5)
ready, found = threading.Barrier(8), []
def ask():
    ready.wait()
    found.append(schema.document()["openapi"])
visitors = [threading.Thread(target=ask) for _ in range(8)]
[visitor.start() for visitor in visitors]
[visitor.join() for visitor in visitors]
print(len(found))
"""
TAGS = {"store", "storefront", "public", "merchant", "admin"}


def api_routes(resolver: Any = None, prefix: str = "") -> list[str]:
    """Return the paths of all API routes, as the document writes them."""
    found: list[str] = []
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += api_routes(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("api/v1/"):
            found.append(
                "/" + path.replace("<uuid:", "{").replace("<str:", "{").replace("<slug:", "{").replace(">", "}")
            )
    return found


def test_the_committed_document_is_that_of_the_code() -> None:
    committed = openapi.path().read_text(encoding="utf-8")

    assert committed == openapi.text(), "the API has changed: run `make schema`"
    assert not GENERATOR_STATS, "drf-spectacular had something to say"


def test_the_document_names_every_route() -> None:
    # Pages, which take JSON as well.
    also = {"/stamp/{store_code}", "/points/{store_code}"}
    # What phones and Google speak is fixed by Apple and Google: docs/wallets.md.
    theirs = ("/api/v1/loyalty/apple/", "/api/v1/loyalty/google/", "/api/v1/loyalty/passes/")
    ours = {path for path in api_routes() if not path.startswith(theirs)}
    assert sorted(schema.document()["paths"]) == sorted(ours | also)


def test_every_operation_has_a_name_a_tag_and_says_what_goes_wrong() -> None:
    for path, operations in schema.document()["paths"].items():
        for method in METHODS & set(operations):
            operation = operations[method]
            assert operation["operationId"], path
            assert set(operation["tags"]) <= TAGS, f"{method} {path}"
            content = operation["responses"]["default"]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_the_document_names_the_ways_to_prove_oneself() -> None:
    schemes = schema.document()["components"]["securitySchemes"]

    assert schemes["apiKey"]["scheme"] == "bearer"
    assert schemes["session"]["in"] == schemes["terminal"]["in"] == "cookie"
    assert any("Card" in json.dumps(scheme) for scheme in schemes.values())


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/api/schema/?format=json", "application/json"),
        ("/api/schema/", "application/vnd.oai.openapi"),
    ],
)
def test_it_is_served(client: Client, address: str, kind: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith(kind)
    assert b"/api/v1/store/loyalty/program" in answer.content


@pytest.mark.django_db
def test_the_page_has_no_inline_script_and_no_foreign_host(client: Client) -> None:
    answer = client.get("/api/docs/")
    text = answer.content.decode()

    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "<script>" not in text
    assert "style=" not in text
    assert "https://" not in text.replace("https://testserver", "")


@pytest.mark.browser
def test_the_page_shows_the_operations_without_a_violation(site: Any, page: Any) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{site.url}/api/docs/")
    page.wait_for_selector(".opblock-tag-section, .opblock-tag")
    page.get_by_text("store", exact=True).first.click()
    page.wait_for_selector(".opblock")

    assert [text for text in said if "Content Security Policy" in text or "Refused" in text] == []
    assert [url for url in asked if not url.startswith((site.url, "data:", "blob:"))] == []


# What changes nothing, or carries its keys in its body, or ends what a key would belong to.
WITHOUT_KEY = {
    "cards_lookup", "pins_verify", "preview", "terminal_batch", "storefront_recover", "storefront_erase",
    "reviews_accept", "reviews_dismiss",
}  # fmt: skip


def test_every_post_that_honours_an_idempotency_key_says_so() -> None:
    posts = [operations["post"] for operations in schema.document()["paths"].values() if "post" in operations]
    without = {
        operation["operationId"]
        for operation in posts
        if not any(given["name"] == "Idempotency-Key" for given in operation.get("parameters", []))
    }

    assert without <= WITHOUT_KEY
    assert len(posts) > len(WITHOUT_KEY)


def test_the_first_visitors_of_a_process_may_come_together() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FIRST_VISITORS]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.test"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "8", done.stderr[-500:]
