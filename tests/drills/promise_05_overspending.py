"""Promise 5: a balance that allows one redemption is spent once, whoever asks at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.drills.found import Budget, Finding
from tests.drills.stack import Stack

TITLE = "no overspending"
PROMISE = 5
PRICE = 60
REFUSALS = {"insufficient_points", "already_redeemed", "card_busy"}


def drill(stack: Stack, budget: Budget) -> Finding:
    """Redeem 100 times at once, on several cards one after the other, with keys of their own."""
    rounds, crowd = budget.count(5), 100
    shop = stack.shop(cards=rounds, loyalty_type="points", points_per_euro="10")
    reward = shop.call("store/loyalty/rewards", {"name": "Scarf", "points_cost": PRICE})
    if reward.status != 201:
        return Finding(False, f"no reward: {reward}")
    seen: Counter[str] = Counter()
    winners = []
    for card in shop.cards:
        sale = {"card_id": card, "purchase_amount_cents": 1000}
        shop.call("store/loyalty/points", sale)
        spend = {"card_id": card, "reward_id": reward.body["id"]}
        with ThreadPoolExecutor(crowd) as pool:
            asked = [pool.submit(shop.call, "store/loyalty/points/redeem", spend) for _ in range(crowd)]
            answers = [one.result() for one in asked]
        winners.append(sum(answer.status == 201 for answer in answers))
        seen.update(answer.body.get("code", str(answer.status)) for answer in answers if answer.status != 201)
    left = {shop.card(card)["points_balance"] for card in shop.cards}
    ok = set(winners) == {1} and left == {100 - PRICE} and set(seen) <= REFUSALS
    told = ", ".join(f"{count} {code}" for code, count in seen.most_common())
    return Finding(ok, f"{rounds} × {crowd} redemptions: {sum(winners)} accepted, {told}; balance left {left}")
