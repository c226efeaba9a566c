"""Equal dates mean equal passes: no change hides behind a 304, whatever changed and however fast (pitfalls 3, 4)."""

from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import httpx
import pytest
from django.utils import timezone

from core import tenancy
from merchants.models import Merchant
from tests.wallets.web_service.conftest import Shop
from wallets.models import ApplePass
from wallets.services import fetches


@pytest.fixture
def card(shop: Shop) -> Any:
    return shop.card()


def fetch(http: httpx.Client, shop: Shop, card: Any, since: str = "") -> httpx.Response:
    headers = {**shop.proof(card), **({"If-Modified-Since": since} if since else {})}
    return http.get(shop.pass_path(card), headers=headers)


def test_the_very_pass_is_304(shop: Shop, http: httpx.Client, card: Any) -> None:
    first = fetch(http, shop, card)
    again = fetch(http, shop, card, first.headers["Last-Modified"])

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Last-Modified"] == first.headers["Last-Modified"]
    assert again.headers["Cache-Control"] == "no-store"


def test_changes_within_one_second_all_show(shop: Shop, http: httpx.Client, card: Any) -> None:
    dates = [fetch(http, shop, card).headers["Last-Modified"]]
    for _ in range(4):
        shop.stamp(card)
        answer = fetch(http, shop, card, dates[-1])
        assert answer.status_code == 200
        dates.append(answer.headers["Last-Modified"])

    moments = [parsedate_to_datetime(date) for date in dates]
    assert moments == sorted(set(moments))


def test_a_change_shows_before_anybody_noted_it(shop: Shop, http: httpx.Client, card: Any) -> None:
    """A fetch shows what is committed; it does not wait for the pipeline."""
    date = fetch(http, shop, card).headers["Last-Modified"]
    shop.world.stamp(card)
    assert fetch(http, shop, card, date).status_code == 200


def test_a_change_of_program_or_merchant_shows(shop: Shop, http: httpx.Client, card: Any) -> None:
    date = fetch(http, shop, card).headers["Last-Modified"]
    shop.world.change(name="Another name")
    answer = fetch(http, shop, card, date)
    assert answer.status_code == 200

    with tenancy.scope(shop.world.merchant_id):
        Merchant.objects.update(card_color="#123456")
    assert fetch(http, shop, card, answer.headers["Last-Modified"]).status_code == 200


def test_a_date_that_is_not_ours_gets_the_pass(shop: Shop, http: httpx.Client, card: Any) -> None:
    fetch(http, shop, card)
    for since in ("garbage", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "2026-01-01"):
        assert fetch(http, shop, card, since).status_code == 200, since


def test_a_date_from_the_future_gets_the_pass(shop: Shop, http: httpx.Client, card: Any) -> None:
    fetch(http, shop, card)
    later = format_datetime(timezone.now() + timedelta(days=1), usegmt=True)
    assert fetch(http, shop, card, later).status_code == 200


def test_a_304_counts_as_fetched(shop: Shop, http: httpx.Client, card: Any) -> None:
    """The device has it: what was requested meanwhile did not change what the pass shows."""
    date = fetch(http, shop, card).headers["Last-Modified"]
    shop.follow(card)
    assert shop.row(card).behind_since is not None

    assert fetch(http, shop, card, date).status_code == 304
    row = shop.row(card)
    assert (row.fetched_version, row.behind_since) == (row.requested_version, None)


def test_a_change_during_a_fetch_stays_open(shop: Shop, card: Any) -> None:
    """Pitfall 47: what counts as fetched is what was requested before the pass was read."""
    row = shop.row(card)
    made = fetches.make(merchant_id=shop.world.merchant_id, pass_id=row.pk, at=timezone.now())
    shop.stamp(card)
    fetches._note(made, at=timezone.now(), handed=True, fetched=True)

    row = shop.row(card)
    assert row.fetched_version == made.version == row.requested_version - 1
    assert row.behind_since is not None


def test_last_modified_grows_also_against_the_clock(shop: Shop, http: httpx.Client, card: Any) -> None:
    fetch(http, shop, card)
    ahead = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    with tenancy.scope(shop.world.merchant_id):
        ApplePass.objects.update(last_modified=ahead)
    shop.stamp(card)

    date = parsedate_to_datetime(fetch(http, shop, card).headers["Last-Modified"])
    assert date == ahead + timedelta(seconds=1)
