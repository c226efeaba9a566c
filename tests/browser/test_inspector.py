"""The inspector finds what it looks for: each fault once, on a page made to have it."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser
PAGE = "<!doctype html><html lang=en><head><title>A page</title></head><body><main><h1>Page</h1>{}</main></body></html>"


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<img src='/static/core/favicon.svg'>", "image-alt"),
        ("<input>", "label"),
        ("<p class=faint>Barely to be read</p>", "color-contrast"),
        ("<h1>Another</h1>", "2 h1"),
        ("<pre>wide" + "e" * 400 + "</pre>", "px too wide at 320"),
        ("<p style='color: red'>Red</p>", "Content Security Policy"),
        ("<script>1</script>", "Content Security Policy"),
        ("<img alt='' src='https://elsewhere.example/a.png'>", "asks outside"),
        ("<script src='/static/broken.js'></script>", "script: "),
        ("<img alt='' src='/static/no-such-file.png'>", "status of 404"),
    ],
)
def test_finds(inspector: Any, inside: str, found: str) -> None:
    seen = inspector()
    policy = "default-src 'self'; style-src 'self'; script-src 'self'; img-src *"
    sheet = "<link rel=stylesheet href='/static/faint.css'>"
    body = PAGE.format(inside).replace("</head>", f"{sheet}</head>")
    answers = {
        "/made": {"body": body, "content_type": "text/html", "headers": {"Content-Security-Policy": policy}},
        "/static/faint.css": {"body": ".faint { color: #ccc; background: #fff }", "content_type": "text/css"},
        "/static/broken.js": {"body": "throw new Error('broken')", "content_type": "text/javascript"},
    }
    for path, answer in answers.items():
        seen.page.route(f"**{path}", lambda route, _request, answer=answer: route.fulfill(**answer))
    seen.page.route("https://elsewhere.example/**", lambda route: route.fulfill(body=""))

    seen.visit("/made")

    assert any(found in fault for fault in seen.faults["/made"]), seen.faults


def test_finds_nothing_on_a_good_page(inspector: Any) -> None:
    seen = inspector()
    seen.page.route("**/made", lambda route: route.fulfill(body=PAGE.format("<p>Text</p>"), content_type="text/html"))

    seen.visit("/made")

    assert seen.faults == {}


@pytest.mark.parametrize(
    ("head", "found"),
    [("<html><head><title>A</title>", "lang=''"), ("<html lang=en><head><title></title>", "title ''")],
)
def test_finds_a_page_without_a_name_or_language(inspector: Any, head: str, found: str) -> None:
    seen = inspector()
    body = f"<!doctype html>{head}</head><body><main><h1>A page</h1></main></body></html>"
    seen.page.route("**/made", lambda route: route.fulfill(body=body, content_type="text/html"))

    seen.visit("/made")

    assert found in seen.faults["/made"]
