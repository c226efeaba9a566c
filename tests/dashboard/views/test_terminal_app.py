"""The till as an app: its manifest, its service worker, and the queue that a manager throws away."""

import json
import re
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from core import tenancy
from core.models import AuditEntry
from dashboard.views import terminal_files
from merchants.enums import Role
from tests.dashboard.conftest import Shop
from tests.dashboard.views.test_terminal import SCRIPTS, Page, till

WORKER = "/terminal-worker.js"
ITEM = {"key": "k-1", "op": "stamp", "occurred_at": "2026-11-21T09:30:00.000Z", "staff": None, "quantity": 1}


def manifest(shop: Shop) -> Any:
    return till(shop).get(shop.page("terminal.webmanifest"))


def test_it_works(shop: Shop) -> None:
    answer = manifest(shop)

    facts = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json"
    assert facts["start_url"] == facts["id"] == shop.page("terminal")
    assert facts["display"] == "standalone"
    assert facts["short_name"] in facts["name"]


def test_icons_are_what_the_manifest_says(shop: Shop) -> None:
    facts = json.loads(manifest(shop).content)

    assert {icon["purpose"] for icon in facts["icons"]} == {"any", "maskable"}
    for icon in facts["icons"]:
        answer = Client().get(icon["src"])
        picture = Image.open(BytesIO(answer.getvalue()))
        assert "x".join(map(str, picture.size)) == icon["sizes"]
        answer.close()


def test_page_names_manifest_and_worker(shop: Shop) -> None:
    response = till(shop).get(shop.page("terminal"))
    page = Page(response)

    [link] = [attrs for tag, attrs in page.elements if tag == "link" and attrs.get("rel") == "manifest"]
    # Without its cookies the browser would be led to the pairing page.
    assert link == {"rel": "manifest", "href": shop.page("terminal.webmanifest"), "crossorigin": "use-credentials"}
    assert page.data()["data-worker"] == WORKER
    assert page.data()["data-scope"] == shop.page("terminal")


@pytest.mark.parametrize("code", ["", "nobody-has-this-code"])
def test_stranger_is_led_to_the_pairing_page(shop: Shop, code: str) -> None:
    answer = Client().get(f"/store/{code or shop.code}/loyalty/terminal.webmanifest")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/pair")


def test_foreign_store_is_not_found(shop: Shop, other: Shop) -> None:
    assert till(other).get(shop.page("terminal.webmanifest")).status_code == 404


def shell() -> dict[str, Any]:
    """Return what the worker keeps."""
    head = Client().get(WORKER).content.decode().partition("\n")[0]
    return {name: json.loads(value) for name, value in re.findall(r"const ([A-Z]+) = (.+?);(?= const|$)", head)}


def test_worker_keeps_the_files_of_the_release_that_the_page_names(shop: Shop) -> None:
    answer = Client().get(WORKER)
    response = till(shop).get(shop.page("terminal"))

    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/javascript", "no-cache")
    assert shell()["RELEASE"] == response["X-Till-Release"]


def test_worker_keeps_every_file_that_the_page_asks_for(shop: Shop) -> None:
    page = Page(till(shop).get(shop.page("terminal")))
    kept = set(shell()["FILES"])

    asked = {attrs["src"] for tag, attrs in page.elements if tag == "script"}
    asked |= {attrs["href"] for tag, attrs in page.elements if attrs.get("rel") in ("stylesheet", "preload", "icon")}
    asked |= {str(attrs["href"]).partition("#")[0] for tag, attrs in page.elements if tag == "use"}
    scripts = {f"/static/dashboard/terminal/{path.name}" for path in SCRIPTS.glob("*.js")}
    assert asked | scripts <= kept
    assert page.data()["data-reader"] in shell()["READER"]


def test_release_changes_with_any_file_and_with_the_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    before = terminal_files.release.__wrapped__()
    assert terminal_files.release.__wrapped__() == before
    changed = tmp_path / "worker.js"
    changed.write_bytes(terminal_files.WORKER.read_bytes() + b"\n")
    monkeypatch.setattr(terminal_files, "WORKER", changed)

    assert terminal_files.release.__wrapped__().name != before.name


def discard(shop: Shop, role: Role = Role.MANAGER, **fields: Any) -> Any:
    sent = {"reason": "Practice on the first day", "items": json.dumps([ITEM]), **fields}
    return shop.client(role).post(shop.page("terminals/discard"), sent)


def notes(shop: Shop) -> list[AuditEntry]:
    with tenancy.scope(shop.merchant_id):
        return list(AuditEntry.objects.filter(action="till_queue_discarded"))


def test_queue_that_is_thrown_away_is_noted_with_the_reason(shop: Shop) -> None:
    assert discard(shop).status_code == 204

    [note] = notes(shop)
    assert note.reason == "Practice on the first day"
    assert note.facts == {"count": 1, "items": [ITEM]}
    assert note.actor_id == shop.people[Role.MANAGER].pk


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": ""},
        {"reason": "for marie@example.com"},
        {"items": "[]"},
        {"items": "{}"},
        {"items": "not json"},
        {"items": json.dumps([{**ITEM, "name": "Marie"}])},
        {"items": json.dumps([{**ITEM, "key": "Marie Kieffer"}])},
        {"items": json.dumps([{**ITEM, "key": {"a": 1}}])},
        {"items": json.dumps([ITEM] * 501)},
    ],
)
def test_bad_input_is_refused_and_nothing_noted(shop: Shop, fields: dict[str, str]) -> None:
    answer = discard(shop, **fields)

    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert notes(shop) == []


def test_login_of_role_staff_may_not(shop: Shop) -> None:
    assert discard(shop, Role.STAFF).status_code == 403
    assert notes(shop) == []


def test_only_those_who_may_are_offered_it(shop: Shop) -> None:
    def form(browser: Client) -> bool:
        return b"discard-form" in browser.get(shop.page("terminal")).content

    assert form(shop.client(Role.MANAGER))
    assert not form(shop.client(Role.STAFF))
    assert not form(till(shop))
