"""The connection to Apple: warm, many streams, and every way in which it may end."""

import socket
import ssl
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import credentials as fakes
from tests.fakes.apns import FakeApns
from wallets.providers.apple import apns as client
from wallets.providers.apple import credentials, http2
from wallets.providers.base import Verdict


def push(*tokens: str) -> list[client.Told]:
    return client.push(credentials.current(), tokens)


def verdicts(told: list[client.Told]) -> Counter[str]:
    return Counter(each.verdict.value for each in told)


def many(count: int) -> list[str]:
    return [f"{number:064x}" for number in range(count)]


def test_one_warm_connection_for_many_batches(apns: FakeApns) -> None:
    for _ in range(3):
        assert verdicts(push(*many(300))) == {"accepted": 300}

    assert apns.opened == 1
    headers = apns.pushes[0].headers
    assert (headers["apns-topic"], headers["apns-push-type"], headers["apns-priority"]) == (
        "pass.example.pipeline", "background", "5",
    )  # fmt: skip


def test_no_more_streams_at_once_than_the_server_takes(apns: FakeApns) -> None:
    apns.most_streams, apns.latency = 7, 0.005

    assert verdicts(push(*many(100))) == {"accepted": 100}
    assert apns.opened == 1


def test_answers_stand_in_the_order_of_the_tokens(apns: FakeApns) -> None:
    apns.answer("b", 410, "Unregistered", timestamp=1_700_000_000_000)
    apns.answer("a", 200, latency=0.1)

    found = push("a", "b", "c")

    assert [each.verdict for each in found] == [Verdict.ACCEPTED, Verdict.GONE, Verdict.ACCEPTED]
    assert found[1].gone_since is not None
    assert found[1].gone_since.timestamp() == 1_700_000_000


def test_goodbye_lets_what_was_taken_finish_and_sends_nothing_twice(apns: FakeApns) -> None:
    apns.latency, apns.goodbye_after = 0.02, 50

    assert verdicts(push(*many(500))) == {"accepted": 500}

    assert apns.opened >= 10
    assert set(Counter(apns.tokens).values()) == {1}


def test_goodbye_that_takes_nothing_sends_it_again(apns: FakeApns) -> None:
    push("first")
    apns.say_goodbye(taken=False)

    assert verdicts(push(*many(20))) == {"accepted": 20}
    assert apns.opened == 2


def test_a_connection_that_was_cut_while_idle_is_replaced(apns: FakeApns) -> None:
    push("first")
    apns.cut()

    assert verdicts(push("second")) == {"accepted": 1}
    assert apns.tokens == ["first", "second"]


def test_a_connection_that_died_silently_is_found_out_by_a_ping(
    apns: FakeApns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "IDLE_SECONDS", 0.0)
    for token in ("first", "second"):
        assert verdicts(push(token)) == {"accepted": 1}
    assert apns.opened == 1


def test_cut_in_the_middle_everybody_is_told_all_the_same(apns: FakeApns) -> None:
    apns.latency = 0.05
    apns.hooks["marker"] = lambda _token: apns.cut()
    apns.answer("marker", 200, latency=0.0)

    found = push("marker", *many(100))

    assert verdicts(found) == {"accepted": 101}
    assert set(many(100)) <= set(apns.tokens)


def test_503_goes_on_over_another_connection(apns: FakeApns) -> None:
    apns.answer("a", 503, "Shutdown", times=1)
    assert verdicts(push("a")) == {"retry": 1}
    assert verdicts(push("a")) == {"accepted": 1}
    assert apns.opened == 2


def test_silence_for_one_token_does_not_hurt_the_others(apns: FakeApns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
    apns.answer("mute", silent=True)

    found = push("mute", *many(50))

    assert found[0].reason == "no answer in time"
    assert verdicts(found) == {"retry": 1, "accepted": 50}


def test_a_batch_ends_in_time_whatever_happens(apns: FakeApns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BATCH_SECONDS", 0.5)
    apns.silent = True

    assert verdicts(push(*many(500))) == {"retry": 500}

    apns.heal()
    assert verdicts(push(*many(5))) == {"accepted": 5}


def test_nobody_is_there(apns: FakeApns) -> None:
    apns.stop()
    found = push(*many(300))
    assert verdicts(found) == {"retry": 300}
    assert "no connection" in found[0].reason


def test_after_a_refusal_nothing_more_is_sent(apns: FakeApns) -> None:
    apns.answer("", 403, "BadCertificate")
    apns.most_streams = 5

    found = push(*many(400))

    assert verdicts(found) == {"blocked": 400}
    assert len(apns.pushes) < 50
    assert sum(not each.tried for each in found) > 300


def test_a_certificate_that_the_server_does_not_know(
    apns: FakeApns, settings: object, tmp_path: Path, files: fakes.Files
) -> None:
    other = fakes.prepare(tmp_path, pass_type="pass.example.pipeline", team="TEAM123456")
    for name, path in {
        "WWDR_CERT_PATH": other.intermediate, "SIGNER_CERT_PATH": other.signer, "SIGNER_KEY_PATH": other.signer_key,
    }.items():  # fmt: skip
        setattr(settings, f"LOYALTY_APPLE_{name}", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.apns_certificate, files.apns_key)
    context.load_verify_locations(files.clients)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])

    # A server that says why it hangs up; asyncio's own does not.
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.LOYALTY_APPLE_APNS_URL = f"https://127.0.0.1:{server.getsockname()[1]}"  # type: ignore[attr-defined]

        def refuse() -> None:
            line, _address = server.accept()
            with line, suppress(ssl.SSLError):
                context.wrap_socket(line, server_side=True)
            line.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        found = push("a", "b")
        thread.join()

    assert verdicts(found) == {"blocked": 2}
    assert "certificate" in found[0].reason


def test_a_server_we_do_not_trust_gets_nothing(apns: FakeApns, settings: object, files: fakes.Files) -> None:
    settings.LOYALTY_APPLE_APNS_CA_PATH = str(files.root)  # type: ignore[attr-defined]

    assert verdicts(push("a")) == {"retry": 1}
    assert apns.pushes == []


def test_a_missing_file_of_trust_is_a_fault_that_passes(apns: FakeApns, settings: object, tmp_path: Path) -> None:
    settings.LOYALTY_APPLE_APNS_CA_PATH = str(tmp_path / "none.pem")  # type: ignore[attr-defined]

    assert verdicts(push("a")) == {"retry": 1}


@pytest.mark.parametrize("token", ["", "x" * 5000])
def test_a_token_that_cannot_be_one_is_not_sent(apns: FakeApns, token: str) -> None:
    (told,) = push(token)
    assert (told.verdict, told.reason) == (Verdict.REFUSED, "BadDeviceToken")
    assert apns.pushes == []


@pytest.mark.parametrize("token", ["a/b", "a?b#c", "é\n:x", "../../x"])
def test_a_token_stays_one_segment_of_the_path(apns: FakeApns, token: str) -> None:
    push(token)
    (seen,) = apns.pushes
    assert "/" not in seen.token
    assert "?" not in seen.token


@pytest.mark.parametrize(
    ("status", "body", "verdict", "reason"),
    [
        (200, b"", "accepted", ""),
        (400, b'{"reason": "BadDeviceToken"}', "refused", "BadDeviceToken"),
        (400, b'{"reason": "DeviceTokenNotForTopic"}', "refused", "DeviceTokenNotForTopic"),
        (400, b'{"reason": "PayloadEmpty"}', "refused", "PayloadEmpty"),
        (400, b'{"reason": "BadTopic"}', "blocked", "BadTopic"),
        (400, b'{"reason": "TopicDisallowed"}', "blocked", "TopicDisallowed"),
        (403, b'{"reason": "BadCertificate"}', "blocked", "BadCertificate"),
        (403, b'{"reason": "BadCertificateEnvironment"}', "blocked", "BadCertificateEnvironment"),
        (403, b'{"reason": "ExpiredProviderToken"}', "blocked", "ExpiredProviderToken"),
        (403, b"<html>", "blocked", "HTTP 403"),
        (404, b'{"reason": "BadPath"}', "refused", "BadPath"),
        (405, b'{"reason": "MethodNotAllowed"}', "refused", "MethodNotAllowed"),
        (410, b'{"reason": "Unregistered", "timestamp": "x"}', "gone", "Unregistered"),
        (410, b'{"reason": "ExpiredToken", "timestamp": 99999999999999999999}', "gone", "ExpiredToken"),
        (413, b'{"reason": "PayloadTooLarge"}', "refused", "PayloadTooLarge"),
        (429, b'{"reason": "TooManyRequests"}', "retry", "TooManyRequests"),
        (500, b"[1]", "retry", "HTTP 500"),
        (503, b'{"reason": "Shutdown"}', "retry", "Shutdown"),
    ],
)
def test_every_answer_of_wallets_1_7(status: int, body: bytes, verdict: str, reason: str) -> None:
    told = client.judge(http2.Response(status, {}, body))
    assert (told.verdict.value, told.reason, told.status) == (verdict, reason, status)


@pytest.mark.parametrize(("text", "seconds"), [("30", 30.0), ("", None), ("soon", None), ("-3", None)])
def test_retry_after(text: str, seconds: float | None) -> None:
    assert client.judge(http2.Response(429, {"retry-after": text}, b"")).retry_after == seconds
