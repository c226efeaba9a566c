"""The export page: three files, what each contains, and what a manager takes."""

import re

import pytest
from django.utils import timezone

from core import tenancy
from core.models import AuditEntry
from merchants.enums import Role
from tests.dashboard.conftest import Shop

PAGE = "/store/merchant/export"


def test_it_works(shop: Shop) -> None:
    owner = shop.client()
    page = owner.get(PAGE).content.decode()

    for kind in ("cards", "customers", "transactions"):
        assert f"{PAGE}/{kind}.csv" in page
        answer = owner.get(f"{PAGE}/{kind}.csv")
        assert answer.status_code == 200
        assert "attachment" in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "no-store, private"
        assert len(answer.getvalue().splitlines()) > 1
    with tenancy.scope(shop.merchant_id):
        assert AuditEntry.objects.filter(action="export", actor_id=shop.people[Role.OWNER].pk).count() == 3


def test_the_form_asks_for_days_and_a_store(shop: Shop) -> None:
    today, page = timezone.localdate(), shop.client().get(PAGE).content.decode()
    answer = shop.client().get(f"{PAGE}/transactions.csv", {"from": today, "to": today, "store": shop.code})

    assert answer.status_code == 200
    assert len(re.findall(r'type="date" name="(?:from|to)" value="\d{4}-\d\d-\d\d"', page)) == 2


def test_a_manager_takes_a_period_of_the_ledger_and_no_people(shop: Shop) -> None:
    manager = shop.client(Role.MANAGER)
    page = manager.get(PAGE).content.decode()
    assert "For owners only" in page
    assert f"{PAGE}/customers.csv" not in page

    assert manager.get(f"{PAGE}/transactions.csv", {"from": "2026-01-01", "to": "2026-12-31"}).status_code == 200
    for kind in ("cards", "customers", "transactions"):
        refused = manager.get(f"{PAGE}/{kind}.csv", follow=True)
        assert refused.redirect_chain[0][0].startswith(PAGE)
        assert "Only an owner exports this" in refused.content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "2026-02-01", "to": "2026-01-01"}, "before the first"), ({"from": "yesterday"}, "Write a day"),
        ({"from": "\x00"}, "Write a day"),
    ],
)  # fmt: skip
def test_bad_days_are_answered_with_what_was_typed(shop: Shop, query: dict[str, str], said: str) -> None:
    answer = shop.client().get(f"{PAGE}/transactions.csv", query, follow=True)

    assert answer.status_code == 200
    assert said in answer.content.decode()


def test_other_files_and_stores_404(shop: Shop, other: Shop) -> None:
    owner = shop.client()

    assert owner.get(f"{PAGE}/secrets.csv").status_code == 404
    assert owner.get(f"{PAGE}/cards.csv", {"store": other.code}).status_code == 404
    assert owner.get(f"{PAGE}/cards.csv", {"store": "\x00"}).status_code == 404
