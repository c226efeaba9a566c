"""What devices report: bounded, cleaned, forgotten (pitfall 34); and what no log of ours ever holds (pitfall 11)."""

import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support import windows
from tests.wallets.web_service.conftest import PASS_TYPE, Shop
from wallets.api import apple
from wallets.models import DeviceLog
from wallets.services import device_logs, phones

REAL = (
    "[2026-03-10 12:00:00 +0100] Get pass task (pass type pass.example.loyalty, serial number {serial}, "
    "if-modified-since (null); with web service url https://x.example/a) encountered error: Received invalid pass data"
)
SERIAL = "9fTk2-Zx_aaBBccDDeeFFgg1"


def test_reports_are_kept_with_their_serial_number(shop: Shop, http: httpx.Client) -> None:
    answer = http.post(shop.service("log"), json={"logs": [REAL.format(serial=SERIAL), "something else"]})

    assert (answer.status_code, answer.content) == (200, b"")
    rows = list(DeviceLog.objects.order_by("id"))
    assert [row.serial for row in rows] == [SERIAL, ""]
    assert rows[0].message.endswith("Received invalid pass data")


def test_bad_reports(shop: Shop, http: httpx.Client, settings: Any) -> None:
    settings.LOYALTY_THROTTLE_SCALE = 100
    for body in (b"", b"{", b"[]", b"null", b'{"logs": "x"}', b'{"logs": {}}', b"\xff", b"[" * 60_000):
        assert http.post(shop.service("log"), content=body).status_code == 400, body[:20]
    odd = {"logs": [1, None, {"a": 1}, ["b"], "", "\x00\x01", "kept"]}
    assert http.post(shop.service("log"), json=odd).status_code == 200
    assert [row.message for row in DeviceLog.objects.all()] == ["kept"]


def test_an_oversized_report_is_413(shop: Shop, http: httpx.Client) -> None:
    exact = b'{"logs": ["' + b"x" * (apple.BODY_BYTES - 14) + b'"]}'
    assert http.post(shop.service("log"), content=exact).status_code == 200
    assert http.post(shop.service("log"), content=exact + b" " * 200).status_code == 413
    for size in (5_000_000, 70_000, 2_000_000):
        # On one connection: the rest of a body must not be taken for the next request.
        assert http.post(shop.service("log"), content=b"x" * size).status_code == 413


def test_messages_are_cut_and_cleaned() -> None:
    assert device_logs.clean("a\x00b\r\nc\x1b[31m\u2028d\ud800") == "a b c [31m d"
    assert len(device_logs.clean("x" * 9000)) == device_logs.LENGTH
    assert "secret" not in device_logs.clean("Authorization: ApplePass secret-secret-secret failed")
    assert "secret" not in device_logs.clean('{"authenticationToken": "secret-secret"}')
    assert device_logs.serial_in(f"GET https://x.example/v1/passes/{PASS_TYPE}/{SERIAL} failed") == SERIAL
    assert device_logs.serial_in("x" * 300) == ""


def test_many_messages_of_one_report_are_bounded(shop: Shop, http: httpx.Client) -> None:
    http.post(shop.service("log"), json={"logs": [f"message {number}" for number in range(500)]})
    assert DeviceLog.objects.count() == device_logs.MOST_MESSAGES


def test_reports_of_one_address_are_limited_and_passes_are_not(
    shop: Shop, http: httpx.Client, settings: Any
) -> None:  # fmt: skip
    settings.LOYALTY_THROTTLE_SCALE = 1
    windows.whole(apple.LOG_PERIOD)
    answers = [http.post(shop.service("log"), json={"logs": ["x"]}) for _ in range(apple.LOG_TIMES + 2)]
    assert [answer.status_code for answer in answers].count(429) in (1, 2)
    assert int(answers[-1].headers["Retry-After"]) > 0
    card = shop.card()
    fetched = [http.get(shop.pass_path(card), headers=shop.proof(card)).status_code for _ in range(80)]
    assert set(fetched) == {200}


def test_old_messages_go_and_so_do_too_many(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    ages = [31, 31, 29, 1, 0]
    DeviceLog.objects.bulk_create([DeviceLog(received_at=now - timedelta(days=age), message=str(age)) for age in ages])
    assert device_logs.purge(at=now) == 2
    monkeypatch.setattr(device_logs, "MOST_ROWS", 2)
    assert device_logs.purge(at=now) == 1
    assert [row.message for row in DeviceLog.objects.order_by("id")] == ["1", "0"]


def test_tokens_never_get_into_a_log(shop: Shop, http: httpx.Client, caplog: Any, capfd: Any) -> None:
    """Neither the right one nor a wrong one, neither in an answer nor when something breaks."""
    caplog.set_level(logging.DEBUG)
    card = shop.card()
    token, wrong = shop.token(card), "wrong-token-canary-0123456789"
    for proof in (token, wrong):
        headers = {"Authorization": f"ApplePass {proof}"}
        http.get(shop.pass_path(card), headers=headers)
        http.get(shop.pass_path(card) + "x", headers=headers)
        http.put(shop.pass_path(card), headers=headers)
        http.post(shop.registration(card), headers=headers, json={"pushToken": "push-token-canary-9876"})
        http.post(shop.registration(card), headers=headers, content=b"{")
        http.delete(shop.registration(card), headers=headers)
    out, err = capfd.readouterr()
    said = out + err + "\n".join(record.getMessage() for record in caplog.records if record.name != "httpcore.http11")
    for canary in (token, wrong, "push-token-canary"):
        assert canary not in "\n".join(line for line in said.splitlines() if "httpcore" not in line)


def test_an_unknown_serial_number_takes_the_same_steps_as_a_wrong_token(shop: Shop) -> None:
    """Pitfall 10: as many statements, and the token is opened and compared in both cases."""
    serial = shop.row(shop.card()).serial
    counts = []
    for asked in (serial, "A" * 24):
        with CaptureQueriesContext(connection) as queries:
            found = phones.prove(
                wanted_type=PASS_TYPE, serial=asked, authorization="ApplePass wrong", at=timezone.now()
            )
        assert found is None
        counts.append([query["sql"].split()[0] for query in queries.captured_queries])
    assert counts[0] == counts[1]
    assert counts[0]
