"""Promise 16: whatever comes in over the wire is refused cleanly: no answer of 5xx, and nothing is half done."""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.drills import broken_http, inside
from tests.drills.found import Budget, Finding
from tests.drills.stack import Stack

TITLE = "bad input is refused cleanly"
PROMISE = 16


def drill(stack: Stack, budget: Budget) -> Finding:
    """Send nonsense to every operation, then requests that are hardly HTTP, then clients that are slow."""
    shop = stack.shop(cards=1)
    with ThreadPoolExecutor(2) as pool:
        known = pool.submit(inside.run, stack, "bad_input", short=budget.short)
        by_document = pool.submit(inside.run, stack, "drawn_input", examples=budget.count(5))
        broken = broken_http.send_all(stack.base, shop.api_key, shop.cards[0])
        found, drawn = known.result(), by_document.result()
    slow = broken_http.slow_clients(stack.base, shop.api_key, shop.cards[0], seconds=budget.count(10, least=3))
    faults = [*found["faults"], *drawn["faults"], *broken.faults, *slow.faults]
    for fault in faults[:40]:
        print(fault, file=sys.stderr)
    statuses = Counter({int(status): count for status, count in found["statuses"].items()})
    statuses.update({int(status): count for status, count in drawn["statuses"].items()})
    broke = sum(count for status, count in statuses.items() if status >= 500)
    refused = sum(count for status, count in statuses.items() if 400 <= status < 500)
    accepted = broken.accepted + slow.accepted
    given = shop.card(shop.cards[0])["stamp_count"]
    ok = not faults and not found["half done"] and given == accepted and statuses[400] > 300
    figure = (
        f"{sum(statuses.values())} requests: {broke} of 5xx, {refused} refused, {len(found['half done'])} tables half "
        f"done; {broken.sent} broken and {slow.sent} slow connections, stamps {given} = {accepted} acknowledged; "
        f"others waited {slow.waited * 1000:.0f} ms at most"
    )
    return Finding(ok, figure + "".join(f"; {fault}" for fault in [*faults[:3], *found["half done"]]))
