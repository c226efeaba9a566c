"""Promise 3: one key has one effect, whatever a till and its network do; another tenant's same key is another key."""

import json
import random
import socket
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.drills.found import Budget, Finding
from tests.drills.stack import Shop, Stack, until
from tests.stack.shop import Answer

TITLE = "one key, one effect"
PROMISE = 3
THREADS = 50
STAMP = "store/loyalty/stamp"
# An earn takes a few milliseconds: the line is cut before, while and after it is worked on.
LATEST_CUT_SECONDS = 0.05
TRIES = 100
CROWD_SECONDS, ANSWERED_SECONDS = 30.0, 60.0


def drill(stack: Stack, budget: Budget) -> Finding:
    """Try each of the promise's sentences; the figure has one part for each."""
    shop, other = stack.shops(2, cards=budget.count(5, least=2), stamps_target=50)
    parts = [
        crowd(stack, shop, budget),
        cut_lines(stack, shop, budget),
        another_body(stack, shop),
        while_running(stack, shop),
        another_tenant(stack, shop, other),
    ]
    return Finding(all(ok for ok, _ in parts), "; ".join(text for _, text in parts))


def crowd(stack: Stack, shop: Shop, budget: Budget) -> tuple[bool, str]:
    """50 threads send the same request at the same moment; each repeats it until it is answered with a success."""
    effects, seen, answers_of_a_key = [], Counter[str](), set()
    for _ in range(budget.count(5, least=2)):
        key, body = f"crowd-{uuid.uuid4()}", {"card_id": random.choice(shop.cards)}
        barrier = threading.Barrier(THREADS)

        def one(key: str = key, body: dict[str, Any] = body, barrier: threading.Barrier = barrier) -> list[Answer]:
            barrier.wait(CROWD_SECONDS)
            return until_answered(shop, body, key)

        with ThreadPoolExecutor(THREADS) as pool:
            found = [future.result() for future in [pool.submit(one) for _ in range(THREADS)]]
        seen.update(answer.body.get("code", str(answer.status)) for answers in found for answer in answers)
        answers_of_a_key.add(len({json.dumps(answers[-1].body, sort_keys=True) for answers in found}))
        effects.append(effects_of(stack, shop, key))
    ok = (
        set(effects) == {1} and answers_of_a_key == {1} and set(seen) <= {"201", "idempotency_in_progress", "card_busy"}
    )
    told = ", ".join(f"{count} {code}" for code, count in seen.most_common())
    same = "identical" if answers_of_a_key == {1} else f"{max(answers_of_a_key)} different answers"
    return ok, f"{len(effects)} × {THREADS} threads: {sum(effects)} effects, {same} ({told})"


def cut_lines(stack: Stack, shop: Shop, budget: Budget) -> tuple[bool, str]:
    """Send a request, cut the line somewhere on the way, and send it again."""
    keys = [f"cut-{uuid.uuid4()}" for _ in range(budget.count(200, least=40))]

    def one(key: str) -> str:
        body = {"card_id": random.choice(shop.cards)}
        cut(shop, body, key)
        return "201" if until_answered(shop, body, key)[-1].status == 201 else "never"

    with ThreadPoolExecutor(8) as pool:
        ends = Counter(pool.map(one, keys))
    effects = Counter(effects_of(stack, shop, key) for key in keys)
    return set(effects) == {1} and set(ends) == {"201"}, f"{len(keys)} lines cut and tried again: {effects[1]} effects"


def another_body(stack: Stack, shop: Shop) -> tuple[bool, str]:
    """The same key with another body, and for another operation."""
    key, card = f"body-{uuid.uuid4()}", shop.cards[0]
    first = shop.stamp(card, key=key)
    attempts = [
        shop.call(STAMP, {"card_id": card, "quantity": 2}, key=key),
        shop.call(STAMP, {"card_id": shop.cards[1]}, key=key),
        shop.call("store/loyalty/stamp/redeem", {"card_id": card}, key=key),
    ]
    codes = {(answer.status, answer.body.get("code")) for answer in attempts}
    ok = first.status == 201 and codes == {(422, "idempotency_key_reused")} and effects_of(stack, shop, key) == 1
    return ok, f"other body {'422' if ok else codes}"


def while_running(stack: Stack, shop: Shop) -> tuple[bool, str]:
    """The same request a second time while the first one waits for its card, which somebody holds for a moment."""
    seen: list[tuple[int, str]] = []
    wanted = {(201, ""), (409, "idempotency_in_progress")}
    for _ in range(TRIES):
        # A till gives up its wait after 500 ms: on a busy machine that may come before the card is free again.
        key, body = f"running-{uuid.uuid4()}", {"card_id": shop.cards[0]}
        with ThreadPoolExecutor(2) as pool, psycopg.connect(stack.superuser_dsn) as holder:
            holder.execute("SELECT FROM loyalty_card WHERE id = %s FOR UPDATE", [shop.cards[0]])
            asked = [pool.submit(shop.call, STAMP, body, key=key) for _ in range(2)]
            until(lambda: waiters(stack) >= 2, 0.4)
            holder.rollback()
            seen = [(one.result().status, str(one.result().body.get("code", ""))) for one in asked]
        if set(seen) == wanted:
            break
    replayed = until_answered(shop, body, key)[-1].status == 201
    ok = set(seen) == wanted and replayed and effects_of(stack, shop, key) == 1
    return ok, f"while running {'409' if ok else seen}"


def waiters(stack: Stack) -> int:
    """Return how many connections wait for a lock."""
    return int(stack.rows("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0])


def another_tenant(stack: Stack, shop: Shop, other: Shop) -> tuple[bool, str]:
    """Two merchants use the same key at the same moment, each for a card of its own."""
    key = f"tenants-{uuid.uuid4()}"
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(one.stamp, one.cards[0], key=key) for one in (shop, other)]
        answers = [one.result() for one in asked]
    effects = [effects_of(stack, one, key) for one in (shop, other)]
    ids = {answer.body.get("transaction_id") for answer in answers}
    ok = [answer.status for answer in answers] == [201, 201] and effects == [1, 1] and len(ids) == 2
    return ok, f"another tenant {'its own' if ok else f'{answers}, effects {effects}'}"


def until_answered(shop: Shop, body: dict[str, Any], key: str) -> list[Answer]:
    """Send a request until it succeeds or a minute is over, and return all answers."""
    answers: list[Answer] = []
    deadline = time.monotonic() + ANSWERED_SECONDS
    while not answers or (answers[-1].status != 201 and len(answers) < TRIES and time.monotonic() < deadline):
        if answers:
            time.sleep(0.1)
        answers.append(shop.call(STAMP, body, key=key))
    return answers


def cut(shop: Shop, body: dict[str, Any], key: str) -> None:
    """Send a request, whole or in part, and hang up without reading, with a reset."""
    at = urlsplit(shop.url)
    data = json.dumps(body).encode()
    head = (
        f"POST /api/v1/{STAMP} HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {shop.api_key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    request = head.encode() + data
    with socket.create_connection((at.hostname, at.port), 10) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.sendall(request if random.random() < 0.8 else request[: random.randrange(len(request))])
        time.sleep(random.uniform(0, LATEST_CUT_SECONDS))


def effects_of(stack: Stack, shop: Shop, key: str) -> int:
    """Return how many stamps a merchant's key gave."""
    query = (
        "SELECT coalesce(sum(stamps_delta), 0) FROM loyalty_transaction "
        "WHERE merchant_id = %s AND idempotency_key = %s AND type = 'stamp_earned'"
    )
    return int(stack.rows(query, shop.merchant_id, key)[0][0])
