"""The Google of the tests refuses what Google refuses: otherwise nothing that passes it would prove anything."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.auth import crypt, jwt

from tests.fakes.google import FakeGoogle
from tests.fakes.google_rules import faults_of
from tests.wallets.google.test_mapping import CARD, CLASS, HYBRID, OBJECT, body_of, class_of
from wallets.providers.google.tokens import GRANT, SCOPE


@pytest.fixture
def http(google: FakeGoogle) -> Iterator[requests.Session]:
    with requests.Session() as session:
        token = session.post(f"{google.url}/token", data={"grant_type": GRANT, "assertion": assertion(google)}).json()
        session.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield session


def assertion(google: FakeGoogle, **changes: Any) -> str:
    account, now = google.account, int(time.time())
    claims = {
        "iss": account["client_email"],
        "aud": account["token_uri"],
        "scope": SCOPE,
        "iat": now,
        "exp": now + 3600,
    }
    signer = crypt.RSASigner.from_string(account["private_key"], account["private_key_id"])
    return str(jwt.encode(signer, {**claims, **changes}).decode())


def path(google: FakeGoogle, kind: str, name: str = "") -> str:
    return f"{google.url}/walletobjects/v1/{kind}" + (f"/{name}" if name else "")


@pytest.mark.parametrize(
    "change",
    [
        {"unknownField": "x"}, {"state": "DONE"}, {"state": None}, {"classId": "no dot"}, {"accountName": "n" * 21},
        {"accountName": ""}, {"hasUsers": True}, {"kind": "walletobjects#loyaltyObject"}, {"version": "1"},
        {"loyaltyPoints": {"label": "Points", "balance": {"int": 2**31}}},
        {"loyaltyPoints": {"label": "Points", "balance": {"int": "5"}}},
        {"loyaltyPoints": {"label": "Points", "balance": {"int": 5, "string": "5"}}},
        {"loyaltyPoints": {"label": "Points", "balance": {"int_": 5}}},
        {"loyaltyPoints": {"label": "Points", "balance": {"money": {"micros": 5, "currencyCode": "EUR"}}}},
        {"loyaltyPoints": {"label": "Loyalty points", "balance": {"int": 5}}},
        {"loyaltyPoints": {"label": "P", "balance": {"int": 5}, "localizedLabel": {"translatedValues": []}}},
        {"barcode": {"type": "QR", "value": "x"}}, {"barcode": {"type": "QR_CODE"}},
        {"heroImage": {"sourceUri": {"uri": "https://a.example/x.png?signature=1"}}},
        {"heroImage": {"sourceUri": {"uri": "/x.png"}}},
        {"textModulesData": [{"id": "a", "header": "h", "body": "b"}] * 2},
        {"textModulesData": [{"id": str(n), "header": "h", "body": "b"} for n in range(11)]},
        {"textModulesData": [{"id": "a", "header": "h" * 36, "body": "b"}]},
        {"linksModuleData": {"uris": [{"uri": "nowhere"}]}},
    ],
)  # fmt: skip
def test_bad_objects_are_named(change: dict[str, Any]) -> None:
    assert faults_of("LoyaltyObject", {**body_of(HYBRID), **change})


@pytest.mark.parametrize(
    "change",
    [
        {"hexBackgroundColor": "brown"}, {"reviewStatus": None}, {"countryCode": "Luxembourg"},
        {"merchantLocations": [{"latitude": 91, "longitude": 0}]}, {"merchantLocations": [{"latitude": 1}]},
        {"merchantLocations": [{"latitude": 1, "longitude": 1}] * 11}, {"locations": []},
        {"callbackOptions": {"url": "http://cards.example.com/callback"}}, {"programName": "p" * 21},
        {"programLogo": {}}, {"localizedIssuerName": {"defaultValue": {"language": "german", "value": "x"}}},
    ],
)  # fmt: skip
def test_bad_classes_are_named(change: dict[str, Any]) -> None:
    assert faults_of("LoyaltyClass", {**class_of(), **change})


@pytest.mark.parametrize(
    "change",
    [{"iss": "somebody@example.com"}, {"aud": "https://oauth2.googleapis.com/token"}, {"scope": "all"}, {"iat": "now"},
     {"iat": int(time.time()) - 9000, "exp": int(time.time()) - 5400}, {"exp": int(time.time()) + 90000}],
)  # fmt: skip
def test_a_token_is_given_for_a_right_assertion_only(google: FakeGoogle, change: dict[str, Any]) -> None:
    form = {"grant_type": GRANT, "assertion": assertion(google, **change)}

    answer = requests.post(f"{google.url}/token", data=form, timeout=5)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert requests.get(path(google, "loyaltyClass", CLASS), timeout=5).status_code == 401


def test_it_keeps_the_order_of_things(google: FakeGoogle, http: requests.Session) -> None:
    new_class, new_object = path(google, "loyaltyClass"), path(google, "loyaltyObject")

    assert http.post(new_object, json=body_of(CARD)).status_code == 404
    assert http.post(new_class, json={**class_of(), "reviewStatus": "DRAFT"}).status_code == 200
    assert http.post(new_object, json=body_of(CARD)).status_code == 400
    assert http.patch(f"{new_class}/{CLASS}", json={"programName": "New"}).status_code == 400
    assert (
        http.patch(f"{new_class}/{CLASS}", json={"reviewStatus": "UNDER_REVIEW"}).json()["reviewStatus"] == "APPROVED"
    )
    assert http.patch(f"{new_object}/{OBJECT}", json={"state": "ACTIVE"}).status_code == 404
    assert http.post(new_object, json=body_of(CARD)).status_code == 200
    assert http.post(new_object, json=body_of(CARD)).status_code == 409
    assert http.post(new_class, json={**class_of(), "id": "3.x"}).status_code == 403


def test_a_patch_merges_replaces_lists_and_clears(google: FakeGoogle, http: requests.Session) -> None:
    http.post(path(google, "loyaltyClass"), json=class_of())
    http.post(path(google, "loyaltyObject"), json=body_of(HYBRID))

    def patch(body: dict[str, Any]) -> requests.Response:
        return http.patch(path(google, "loyaltyObject", OBJECT), json=body)

    assert patch({"secondaryLoyaltyPoints": {"balance": {"string": "9"}}}).status_code == 400
    assert patch({"secondaryLoyaltyPoints": {"balance": {"string": "9", "int": None}}}).status_code == 200
    assert patch({"accountName": None, "textModulesData": [{"id": "a", "body": "b"}]}).status_code == 200
    held = google.shelf.objects[OBJECT]
    assert held["secondaryLoyaltyPoints"]["balance"] == {"string": "9"}
    assert held["secondaryLoyaltyPoints"]["label"] == body_of(HYBRID)["secondaryLoyaltyPoints"]["label"]
    assert held["textModulesData"] == [{"id": "a", "body": "b"}]
    assert "accountName" not in held


def test_three_notifications_a_day(google: FakeGoogle, http: requests.Session) -> None:
    http.post(path(google, "loyaltyClass"), json=class_of())
    http.post(path(google, "loyaltyObject"), json=body_of(CARD))

    def tell(stamps: int) -> int:
        body = {"loyaltyPoints": {"balance": {"string": f"{stamps}/10"}}, "notifyPreference": "NOTIFY_ON_UPDATE"}
        return http.patch(path(google, "loyaltyObject", OBJECT), json=body).status_code

    assert [tell(stamps) for stamps in (4, 5, 6, 7)] == [200, 200, 200, 403]
    assert google.shelf.objects[OBJECT]["loyaltyPoints"]["balance"] == {"string": "6/10"}
    google.shelf.now = lambda: time.time() + 86_500
    assert tell(7) == 200


def test_more_than_twenty_in_a_second_are_too_many(google: FakeGoogle, http: requests.Session) -> None:
    answers = [http.get(path(google, "loyaltyClass", CLASS)) for _ in range(25)]

    assert [answer.status_code for answer in answers] == [404] * 20 + [429] * 5
    assert answers[-1].headers["Retry-After"] == "1"
    assert google.peak() == 25


def test_faults_on_command(google: FakeGoogle, http: requests.Session) -> None:
    http.post(f"{google.url}/_fake/faults", json={"next": [503, 500], "lost": 1})

    assert [http.get(path(google, "loyaltyClass", CLASS)).status_code for _ in range(3)] == [503, 500, 404]
    with pytest.raises(requests.ConnectionError):
        http.post(path(google, "loyaltyClass"), json=class_of())
    assert CLASS in http.get(f"{google.url}/_fake/state").json()["loyaltyClass"]
    google.faults.away = True
    with pytest.raises(requests.ConnectionError):
        http.get(path(google, "loyaltyClass", CLASS))
