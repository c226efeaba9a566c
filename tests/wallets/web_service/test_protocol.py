"""The answers that Apple's protocol fixes: six defects seen elsewhere, bad input, what a device must never meet."""

import re
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from django.utils import timezone

from tests.wallets.web_service.conftest import PASS_TYPE, Shop
from wallets.models import AppleDevice

DEVICE = "device-1"
FOREIGN_TAGS = (
    "2020-01-01T00:00:00Z", "", "-1", "0", "garbage", "%00", "1e3", "1.5", "%2B1", "+1", "٣", "NaN", "5000",
    "99999999999999999999", "9223372036854775807", "9223372036854775808", "%FF%FE", "x" * 2000, "1;DROP", "1%0A",
)  # fmt: skip
BAD_BODIES = (
    b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"pushToken": null}', b'{"pushToken": 5}', b'{"pushToken": ""}',
    b'{"pushToken": "  "}', b'{"pushToken": ["a"]}', b'{"pushToken": "a\\u0000b"}', b'{"pushToken": "\\ud800"}',
    b'{"pushToken": "a\\r\\nb"}', b"\xff\xfe", b"[" * 50_000, b'{"pushToken": "' + b"x" * 70_000 + b'"}',
)  # fmt: skip


def register(
    http: httpx.Client, shop: Shop, card: Any, *, device: str = DEVICE, token: str = "AAA"
) -> httpx.Response:  # fmt: skip
    return http.post(shop.registration(card, device), headers=shop.proof(card), json={"pushToken": token})


def listed(http: httpx.Client, shop: Shop, since: str | None = None, device: str = DEVICE) -> httpx.Response:
    address = shop.service(f"devices/{device}/registrations/{PASS_TYPE}")
    return http.get(address if since is None else f"{address}?passesUpdatedSince={since}")


@pytest.fixture
def cards(shop: Shop, http: httpx.Client) -> list[Any]:
    """Three cards, registered by one device one after the other."""
    found = [shop.card() for _ in range(3)]
    for card in found:
        assert register(http, shop, card).status_code == 201
    return found


def serials(shop: Shop, cards: list[Any]) -> list[str]:
    return sorted(shop.row(card).serial for card in cards)


# Each a defect that was seen elsewhere.


def test_row_1_a_list_without_tag_names_all(shop: Shop, http: httpx.Client, cards: list[Any]) -> None:
    """Pitfalls 1 and 2: every pass, and a text as tag: the greatest number of exactly these."""
    answer = listed(http, shop)

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"serialNumbers", "lastUpdated"}
    assert sorted(body["serialNumbers"]) == serials(shop, cards)
    assert isinstance(body["lastUpdated"], str)
    assert re.fullmatch("[0-9]+", body["lastUpdated"])


def test_rows_2_and_4_a_tag_that_is_none_of_ours_names_all(
    shop: Shop, http: httpx.Client, cards: list[Any]
) -> None:  # fmt: skip
    """Pitfall 7: empty, negative, garbage, from the future; never 500, never a change that is missed."""
    everything = serials(shop, cards)
    for since in FOREIGN_TAGS:
        answer = listed(http, shop, since)
        assert answer.status_code == 200, since
        assert sorted(answer.json()["serialNumbers"]) == everything, since


def test_row_3_a_new_push_token_replaces_the_old_one(shop: Shop, http: httpx.Client, cards: list[Any]) -> None:
    """Pitfalls 8 and 9: 200 for a registration that is there, and its token is the new one."""
    assert register(http, shop, cards[0], token="BBB").status_code == 200
    assert AppleDevice.objects.get().push_token == "BBB"


def test_row_5_an_unknown_device_has_no_news(shop: Shop, http: httpx.Client, cards: list[Any]) -> None:
    """Pitfalls 5 and 6."""
    for device in ("unknown", "x" * 3000, "%00", "%2e%2e", "a b"):
        answer = listed(http, shop, device=device)
        assert (answer.status_code, answer.content) == (204, b"")


def test_row_6_its_own_tag_sent_back_has_no_news(shop: Shop, http: httpx.Client, cards: list[Any]) -> None:
    """Pitfall 7b: digits survive a query whether or not the client escapes them; no pass is named twice."""
    tag = listed(http, shop).json()["lastUpdated"]
    assert tag.isascii()
    assert tag.isdigit()
    assert (listed(http, shop, tag).status_code, listed(http, shop, tag).content) == (204, b"")


def test_a_list_names_what_changed_since(shop: Shop, http: httpx.Client, cards: list[Any]) -> None:
    tag = listed(http, shop).json()["lastUpdated"]
    second = shop.stamp(cards[1])
    third = shop.stamp(cards[2])

    assert listed(http, shop, tag).json() == {
        "serialNumbers": serials(shop, cards[1:]), "lastUpdated": str(third)
    }  # fmt: skip
    assert listed(http, shop, str(second)).json()["serialNumbers"] == serials(shop, cards[2:])
    assert listed(http, shop, str(third)).status_code == 204


def test_foreign_pass_types_are_nobodys(shop: Shop, http: httpx.Client, cards: list[Any]) -> None:
    """204 on the list, 401 on everything that names a pass."""
    card = cards[0]
    foreign = "pass.example.other"
    assert http.get(shop.service(f"devices/{DEVICE}/registrations/{foreign}")).status_code == 204
    fetch, registration = shop.pass_path(card), shop.registration(card)
    assert http.get(fetch.replace(PASS_TYPE, foreign), headers=shop.proof(card)).status_code == 401
    moved = registration.replace(PASS_TYPE, foreign)
    assert http.post(moved, headers=shop.proof(card), json={"pushToken": "x"}).status_code == 401
    assert http.delete(moved, headers=shop.proof(card)).status_code == 401


def test_a_bad_registration_body_with_the_right_token_is_400(shop: Shop, http: httpx.Client) -> None:
    """Without the right token it is 401, whatever the body is."""
    card = shop.card()
    for body in BAD_BODIES:
        answer = http.post(shop.registration(card), headers=shop.proof(card), content=body)
        assert answer.status_code == 400, body[:40]
        wrong = http.post(shop.registration(card), headers={"Authorization": "ApplePass nobody"}, content=body)
        assert wrong.status_code == 401, body[:40]
    assert AppleDevice.objects.count() == 0


def test_a_body_without_a_content_type_is_read(shop: Shop, http: httpx.Client) -> None:
    card = shop.card()
    sent = http.post(shop.registration(card), headers=shop.proof(card), content=b'{"pushToken": "abc", "more": 1}')
    assert (sent.status_code, sent.content) == (201, b"")


def test_a_device_with_an_impossible_name_is_400(shop: Shop, http: httpx.Client) -> None:
    card = shop.card()
    for device in ("x" * 256, "a%00b"):
        assert register(http, shop, card, device=device).status_code == 400
    assert register(http, shop, card, device="x" * 255).status_code == 201


def test_unregistering(shop: Shop, http: httpx.Client, cards: list[Any]) -> None:
    """Pitfall 13: what is not registered is 200, an unknown serial number 401."""
    first = cards[0]
    for device in ("unknown", DEVICE, DEVICE, "x" * 300, "%00"):
        answer = http.delete(shop.registration(first, device), headers=shop.proof(first))
        assert (answer.status_code, answer.content) == (200, b"")
    assert sorted(listed(http, shop).json()["serialNumbers"]) == serials(shop, cards[1:])
    unknown = shop.service(f"devices/{DEVICE}/registrations/{PASS_TYPE}/nobody")
    assert http.delete(unknown, headers=shop.proof(first)).status_code == 401


def proofs(shop: Shop, card: Any, other: Any) -> list[tuple[str, dict[str, str]]]:
    """Return wrong ways to fetch a card's pass: (address, headers)."""
    right, path = shop.token(card), shop.pass_path(card)
    unknown = shop.service(f"passes/{PASS_TYPE}/{'A' * 24}")
    wrong = [
        "ApplePass wrong", "ApplePass", f"Bearer {right}", f"ApplePass {right}x", right, f"ApplePass {right[:-1]}",
        f"ApplePass {shop.token(other)}", f"Card {right}", "ApplePass \xe4",
    ]  # fmt: skip
    return [
        (path, {}),
        *((path, {"Authorization": header.encode("latin-1")}) for header in wrong),  # type: ignore[dict-item,list-item]
        (unknown, shop.proof(card)), (unknown, {}), (shop.service(f"passes/{PASS_TYPE}/%00"), shop.proof(card)),
        (shop.service(f"passes/{PASS_TYPE}/{card.pk}"), shop.proof(card)),
    ]  # fmt: skip


# What differs from one answer to the next and says nothing of a pass.
OF_EACH_ANSWER = frozenset({"date", "server", "x-request-id"})


def test_without_the_token_every_pass_is_the_same(shop: Shop, http: httpx.Client) -> None:
    """Pitfall 10: an unknown serial number and a wrong token get one answer, to the byte."""
    card, other = shop.card(), shop.card()
    seen = set()
    for path, headers in proofs(shop, card, other):
        answer = http.get(path, headers=headers)
        headers_sent = tuple(sorted((k, v) for k, v in answer.headers.items() if k not in OF_EACH_ANSWER))
        seen.add((answer.status_code, answer.content, headers_sent))
    [(status, body, shown)] = seen
    assert (status, body) == (401, b"")
    assert dict(shown)["www-authenticate"] == "ApplePass"
    assert dict(shown)["cache-control"] == "no-store"
    assert "set-cookie" not in dict(shown)


def test_a_fetch_is_the_whole_package(shop: Shop, http: httpx.Client) -> None:
    """Pitfalls 32 and 33: type, no-store, no compression, no cookie, a real date."""
    card = shop.card()
    answer = http.get(shop.pass_path(card), headers={**shop.proof(card), "Accept-Encoding": "gzip, deflate, br"})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/vnd.apple.pkpass"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Encoding" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert parsedate_to_datetime(answer.headers["Last-Modified"]) <= timezone.now()
    assert answer.content.startswith(b"PK")
    lower = http.get(shop.pass_path(card), headers={"authorization": f"applepass {shop.token(card)}"})
    assert lower.status_code == 200


def test_head_has_the_headers_of_get(shop: Shop, http: httpx.Client) -> None:
    """Pitfall 32. It delivers nothing, so nothing counts as fetched."""
    card = shop.card()
    head = http.head(shop.pass_path(card), headers=shop.proof(card))
    row = shop.row(card)
    assert (row.fetched_at, row.fetched_version, row.handed_hash) == (None, 0, "")
    get = http.get(shop.pass_path(card), headers=shop.proof(card))

    assert (head.status_code, head.content) == (200, b"")
    assert set(head.headers) == set(get.headers)
    for name in set(get.headers) - {"date", "content-length", "x-request-id"}:
        assert head.headers[name] == get.headers[name], name
    assert abs(int(head.headers["Content-Length"]) - len(get.content)) < 8
    assert http.head(shop.pass_path(card)).status_code == 401


def test_methods_that_are_none_of_apples(shop: Shop, http: httpx.Client) -> None:
    card = shop.card()
    for method in ("PUT", "PATCH", "GET"):
        assert http.request(method, shop.registration(card), headers=shop.proof(card)).status_code == 405
    assert http.post(shop.pass_path(card), headers=shop.proof(card)).status_code == 405
    assert http.get(shop.service("log")).status_code == 405


def test_nothing_redirects_and_no_form_token_is_asked(shop: Shop, http: httpx.Client) -> None:
    """Pitfall 33: a device does not repeat its POST elsewhere, and knows no login."""
    card = shop.card()
    for path in (shop.registration(card), shop.service("log")):
        assert http.post(f"{path}/", headers=shop.proof(card), json={"pushToken": "x"}).status_code in (404, 401)
    cookies = {"sessionid": "abc", "csrftoken": "x" * 32}
    http.cookies.update(cookies)
    answer = http.post(
        shop.registration(card), headers={**shop.proof(card), "Origin": "https://evil.example"}, json={"pushToken": "x"}
    )
    assert answer.status_code == 201
    assert not answer.history


def test_nothing_touches_a_package_on_its_way(settings: Any) -> None:
    """Pitfall 32: neither conditional answers by Django nor compression stand before the views."""
    names = " ".join(settings.MIDDLEWARE)
    assert "ConditionalGet" not in names
    assert "GZip" not in names
    assert settings.APPEND_SLASH is False
