"""Promise 1: whatever is killed, a stamp that was acknowledged is in the ledger, and once."""

import random
import time
from collections import Counter
from collections.abc import Callable

from loyalty_platform.launcher.process import started_at
from tests.drills.found import Budget, Finding
from tests.drills.journal import Journal, compare
from tests.drills.stack import Stack, until

TITLE = "no acknowledged operation is lost"
PROMISE = 1
TILLS = 8
QUEUE_SECONDS, SWEEP_SECONDS = 60, 110
PATIENCE = 60.0
# A killed PostgreSQL needs a second or two to come back; the others are back at once.
CALM = {"PostgreSQL": (2.0, 4.0), "backend": (1.0, 2.0), "web process": (0.3, 1.0), "worker": (0.3, 1.0)}


def drill(stack: Stack, budget: Budget) -> Finding:
    """Kill what keeps the ledger, what serves and what works, in random order, while tills stamp."""
    shop = stack.shop(cards=50, stamps_target=10)
    victims: dict[str, Callable[[], int]] = {
        "PostgreSQL": lambda: end_postgres(stack),
        "backend": lambda: stack.kill_child("postgres"),
        "web process": lambda: stack.kill_child("web"),
        "worker": lambda: stack.kill_child(random.choice(("worker", "wallets", "apple", "google"))),
    }
    killed: Counter[str] = Counter()
    with Journal(shop, tills=TILLS) as journal:
        ends = time.monotonic() + budget.seconds * 1.5
        while (now := time.monotonic()) < ends or (now < ends + PATIENCE and not all(killed[name] for name in victims)):
            # Each of them at least once, however long a recovery takes here, then at random.
            name = next((name for name in victims if not killed[name]), "") or random.choice(list(victims))
            killed[name] += bool(victims[name]())
            time.sleep(random.uniform(*CALM[name]))
    stack.wait_until_healthy()
    compared = compare(stack, journal)
    # What a relay had in hand when the database died is rescued by a sweep, after a minute and a half at most.
    states, patience = ("queued", QUEUE_SECONDS) if budget.short else ("queued, inflight", SWEEP_SECONDS)
    delivered = until(lambda: waiting(stack, shop.merchant_id, states) == 0, patience)
    kills = ", ".join(f"{name} {killed[name]}×" for name in victims)
    left = "" if delivered else f"; {waiting(stack, shop.merchant_id, states)} events still {states}"
    ok = compared.ok and delivered and all(killed[name] for name in victims)
    return Finding(ok, f"{compared}; kill -9: {kills}{left}")


def end_postgres(stack: Stack) -> int:
    """Kill PostgreSQL; returns 0 while its keeper has not brought it back from the last time."""
    pid, mark = stack.run()["processes"]["postgres"]
    return stack.kill("postgres") if started_at(pid) == mark else 0


def waiting(stack: Stack, merchant_id: str, states: str) -> int:
    """Return how many events of a merchant have not reached those who react to them."""
    query = "SELECT count(*) FROM core_outboxevent WHERE merchant_id = %s AND state = ANY (%s)"
    return int(stack.rows(query, merchant_id, states.split(", "))[0][0])
