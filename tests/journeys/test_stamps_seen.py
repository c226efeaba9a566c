"""Stamps as a browser paints them: on every page that shows one they stand out from what is behind them (3:1)."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from core import tenancy
from loyalty.models import Card
from merchants.models import Membership, Merchant
from tests.support.till import Till
from tests.support.world import World

LEAST = 3.0
CHOSEN = ["#FFFFFF", "#FFE000", "#F5B83D", "#00FFFF", "#2F3BBF", "#000000"]
# The colour of each mark that is seen, and of the first ground behind it that is not transparent.
PAINTED = """() => {
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  return [...document.querySelectorAll(".stamp")].filter((one) => one.checkVisibility()).map((one) => {
    const [mark, behind] = [getComputedStyle(one).color, ground(one)];
    const [high, low] = [light(mark), light(behind)].sort((a, b) => b - a);
    return [(high + 0.05) / (low + 0.05), mark, behind];
  });
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("color", CHOSEN)
def test_every_mark_is_seen(site: Any, chromium: Any, color: str, theme: str) -> None:
    world = World.make(at=timezone.now())
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(card_color=color)
        Membership.objects.create(user=world.owner, role="owner")
    looks = {"color_scheme": theme, "reduced_motion": "reduce", "viewport": {"width": 1280, "height": 800}}
    customer = Client()
    customer.post(f"/loyalty/{world.store.code}/enroll", {"language": "en"})
    with tenancy.scope(world.merchant_id):
        card = Card.objects.get()
    world.stamp(card, 7)
    owner = Client()
    owner.force_login(world.owner, backend=settings.AUTHENTICATION_BACKENDS[0])
    context = chromium.new_context(**looks)
    for browser in (customer, owner):
        context.add_cookies([{"name": n, "value": c.value, "url": site.url} for n, c in browser.cookies.items()])
    page, shop, office = context.new_page(), f"/loyalty/{world.store.code}", f"/store/{world.store.code}/loyalty"

    found = {}
    pages = [f"{shop}/{name}" for name in ("dashboard", "welcome")]
    pages += [f"{office}/{name}" for name in ("branding", "posters", "settings", f"cards/{card.pk}")]
    for path in pages:
        page.goto(f"{site.url}{path}")
        found[path] = page.evaluate(PAINTED)
    context.close()
    context = chromium.new_context(**looks)
    till = Till(context.new_page(), site, world)
    till.pair()
    till.open(card)
    found["till"] = till.page.evaluate(PAINTED)
    context.close()

    assert len(found[f"{shop}/dashboard"]) == 7
    assert [path for path, marks in found.items() if not marks] == []
    assert {path: marks for path, marks in found.items() if min(mark[0] for mark in marks) < LEAST} == {}
