"""Templates and scripts hold to the strict policy: nothing inline, nothing from outside; components are documented."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.test import RequestFactory

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
# A mail program knows no style sheet from elsewhere: mails carry theirs, and are looked at in tests/browser.
MAILS = {TEMPLATES / "mail", TEMPLATES / "customers" / "mail"}
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if path.parent not in MAILS)
COMPONENTS = sorted((TEMPLATES / "components").glob("*.html"))
FORBIDDEN = {
    "inline style": re.compile(r"<style|\sstyle="),
    "inline script": re.compile(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)"),
    "inline handler": re.compile(r"\son[a-z]+=|\shx-on"),
    "outside host": re.compile(r"""(?:src|href)=["']?(?:https?:)?//(?!\{)"""),
}
ICON = re.compile(r"""(?:\{% icon |\bicon=)["']([\w-]+)["']""")
MAX_LINES = 200
# Parts that only the bases and other components include.
INNER = {"icon.html", "messages.html", "stamp_filter.html", "theme_switch.html", "empty_mark.html"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_keeps_to_the_policy(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    faults = [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]

    assert faults == []
    assert text.count("\n") <= MAX_LINES


def test_finds_what_it_forbids() -> None:
    bad = '<p style="x"></p><style></style><script>1</script><a onclick="x" href="https://x.example">'

    assert all(pattern.search(bad) for pattern in FORBIDDEN.values())
    assert not FORBIDDEN["inline script"].search('<script type="module" src="{% static \'a.js\' %}"></script>')


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda path: path.name)
def test_says_at_its_head_what_it_takes(component: Path) -> None:
    head = component.read_text(encoding="utf-8")[:600]

    assert "{% comment %}" in head
    get_template(f"components/{component.name}")


def test_documents_every_component() -> None:
    guide = (ROOT / "docs" / "frontend.md").read_text(encoding="utf-8")

    public = [path.name for path in COMPONENTS if not path.name.startswith("_") and path.name not in INNER]

    assert [name for name in public if name not in guide] == []


def test_refers_only_to_icons_that_exist() -> None:
    known = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static/core/icons.svg").read_text(encoding="utf-8")))

    used = {(page.name, name) for page in PAGES for name in ICON.findall(page.read_text(encoding="utf-8"))}

    assert {pair for pair in used if pair[1] not in known} == set()


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "500"])
@pytest.mark.parametrize("theme", ["", "dark"])
def test_shows_an_error_with_or_without_a_request(code: str, theme: str) -> None:
    request = RequestFactory().get("/nowhere")
    request.COOKIES["theme"] = theme

    shown = get_template(f"{code}.html").render({}, request)

    assert f'data-bs-theme="{theme or "auto"}"' in shown
    assert shown.count("<h1") == 1
    assert "<h1" in get_template(f"{code}.html").render({})
