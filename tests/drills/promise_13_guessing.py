"""Promise 13: a day of guesses finds no PIN, nobody guesses without a till or key, and nobody outside locks a shop."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.drills import inside
from tests.drills.found import Budget, Finding
from tests.drills.stack import Shop, Stack
from tests.stack.shop import Answer, ask

TITLE = "PINs resist guessing"
PROMISE = 13
CROWD = 40
LET_THROUGH = 5


def drill(stack: Stack, budget: Budget) -> Finding:
    """Guess for days by the clock; then at once from many hands over HTTP; then from outside."""
    shop, stranger = stack.shops(2, cards=2, require_staff_pin=True)
    with ThreadPoolExecutor(1) as pool:
        days = pool.submit(inside.run, stack, "guessing", short=budget.short, sprayed=budget.count(1000, least=60))
        outside = from_outside(shop, stranger)
        given_before = shop.card(shop.cards[0])["stamp_count"]
        # 0: nobody answered in time, which opens nothing.
        opened = [answer for answer in outside if 0 < answer.status < 400 or "staff_session" in answer.body]
        phone = on_a_phone(shop)
        unlocked = right_pin(shop).status
        crowd = Counter(answer.status for answer in at_once(shop))
        locked, elsewhere = right_pin(shop).status, right_pin(shop, till="another").status
        found = days.result()
    ok = (
        max(found["chance"], found["chance of 40 people"], found["sprayed chance"]) <= found["most"]
        and len(found["sprayed tries"]) == len(found["sprayed a day"]) == 1
        and phone[403] > 0 and phone[423] > 0 and phone[201] == 0
        and not opened and given_before == 0 and unlocked == 201
        and crowd[403] <= LET_THROUGH and crowd[403] + crowd[423] == CROWD and (locked, elsewhere) == (423, 201)
    )  # fmt: skip
    # The one that guessed is locked; another till of the shop, and people outside of it, are not.
    figure = (
        f"a day at one till, {found['ways']} ways: {found['chance']:.3%} at most (40 people: "
        f"{found['chance of 40 people']:.3%}); sprayed over {found['sprayed']} merchants: {found['sprayed tries']} "
        f"tries each until locked, {found['sprayed chance']:.3%} a day; {CROWD} at once over HTTP: "
        f"{crowd[403]} compared, {crowd[423]} locked; without till or key {len(opened)} of {len(outside)}, "
        f"on a customer's phone {phone[403]} compared, {phone[423]} locked; the shop goes on: "
        f"{unlocked}, {elsewhere}"
    )
    return Finding(ok, figure)


def at_once(shop: Shop) -> list[Answer]:
    """Try many wrong PINs at the same moment at one till of a POS."""
    wrong = count(100_007, 7)
    bodies = [{"staff_pin": f"{next(wrong):06}"} for _ in range(CROWD)]
    with ThreadPoolExecutor(CROWD) as pool:
        asked = [pool.submit(shop.call, "store/loyalty/pins/verify", body, X_Terminal="till") for body in bodies]
        return [one.result() for one in asked]


def right_pin(shop: Shop, till: str = "till") -> Answer:
    """Give a stamp with the right PIN."""
    body = {"card_id": shop.cards[0], "staff_pin": shop.pin}
    return shop.call("store/loyalty/stamp", body, X_Terminal=till)


def on_a_phone(shop: Shop) -> Counter[int]:
    """Type wrong PINs into a customer's own phone, with one card and then another, where the shop allows phones."""
    opened = shop.call(f"merchant/stores/{shop.store_id}", {"own_device_enabled": True}, method="PATCH")
    assert opened.status == 200, opened
    seen: Counter[int] = Counter()
    for card, secret in zip(shop.cards, shop.secrets, strict=True):
        for number in range(LET_THROUGH * 3):
            body = {"pass_id": card, "staff_pin": f"{200_003 + 7 * number:06}", "confirm": True}
            address = f"{shop.url}/stamp/{shop.store_code}"
            seen[ask(address, body, Authorization=f"Card {secret}").status] += 1
    return seen


def from_outside(shop: Shop, stranger: Shop) -> list[Answer]:
    """Send the right PIN, and wrong ones, without a till or key of this shop."""
    callers = {
        "nobody": {}, "invented key": {"Authorization": "Bearer lk_abcdefgh_" + "x" * 43},
        "card": {"Authorization": f"Card {shop.secrets[0]}"},
        "another shop": {"Authorization": f"Bearer {stranger.api_key}"},
        "invented till": {"Cookie": "terminal=lt_abcdefgh_" + "x" * 43},
    }  # fmt: skip
    answers = []
    for headers in callers.values():
        # Another shop's key may try its own people's PINs, so it names somebody of this one.
        for pin in (shop.pin, *(f"{number:06}" for number in range(100_007, 100_077, 7))):
            verify = {"staff_id": shop.staff_id, "staff_pin": pin}
            stamp = {"card_id": shop.cards[0], "staff_pin": pin}
            for path, body in (("pins/verify", verify), ("stamp", stamp), ("stamp/redeem", stamp)):
                answers.append(ask(f"{shop.url}/api/v1/store/loyalty/{path}", body, **headers))
    return answers
