"""seed_load: the size that was asked for, a ledger that adds up, and cards that work like any other."""

import io
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import tenancy
from loyalty.models import Card, IssuedReward, Transaction
from loyalty.queries import access, verification
from loyalty.services import load
from tests.support.world import NOON


def seed(cards: int, transactions: int, **options: Any) -> str:
    out = io.StringIO()
    call_command("seed_load", cards=cards, transactions=transactions, force=True, stdout=out, **options)
    return out.getvalue()


def test_it_works(real_db: Any) -> None:
    printed = seed(200, 4_000)

    report = verification.verify()
    assert (report.cards, report.rows, report.differences) == (200, 4_000, ())
    assert "lk_" not in printed
    assert "4000 ledger rows" in printed


@pytest.mark.parametrize(("cards", "transactions"), [(1, 1), (1, 500), (2, 13), (7, 7), (33, 100)])
def test_any_size_adds_up(real_db: Any, cards: int, transactions: int) -> None:
    seed(cards, transactions)

    report = verification.verify()
    assert (report.cards, report.rows, report.differences) == (cards, transactions, ())


def test_it_may_be_done_again(real_db: Any) -> None:
    seed(20, 100)
    seed(20, 100)

    assert verification.verify().cards == 40
    assert verification.verify().differences == ()


def test_there_is_one_big_merchant_and_every_kind(real_db: Any) -> None:
    made = load.make(cards=100, transactions=3_000, at=NOON)

    assert [merchant.cards for merchant in made.merchants] == [50, 20, 15, 10, 5]
    with tenancy.platform(reason="tests"):
        assert not Card.objects.filter(stamp_count__gte=load.TARGET).exists()
    assert {merchant.kind for merchant in made.merchants} == {"stamps", "points", "hybrid"}
    with tenancy.platform(reason="tests"):
        types = set(Transaction.objects.values_list("type", flat=True))
        states = set(IssuedReward.objects.values_list("source", "state"))
        newest = Transaction.objects.order_by("-occurred_at").first()
    wanted = "card_enrolled stamp_earned reward_issued stamp_redeemed points_earned points_redeemed"
    assert types == set(wanted.split())
    assert states >= {("stamps", "redeemed"), ("points", "redeemed")}
    assert newest is not None
    assert newest.occurred_at < NOON


def test_its_cards_go_on_like_any_other(real_db: Any, client: Any) -> None:
    made = load.make(cards=40, transactions=1_000, at=NOON)
    big = made.merchants[0]
    with tenancy.scope(big.id):
        card = Card.objects.order_by("-stamp_count").first()
        assert card is not None
        assert access.secret_of(card)

    answer = client.post(
        "/api/v1/store/loyalty/stamp",
        {"card_id": str(card.pk), "quantity": 10},
        content_type="application/json",
        headers={"Authorization": f"Bearer {made.api_key}"},
    )

    assert answer.status_code == 201, answer.content
    assert answer.json()["reward_earned"] is True
    assert verification.verify().differences == ()


def test_the_key_goes_into_a_private_file_and_nowhere_else(real_db: Any, tmp_path: Path) -> None:
    file = tmp_path / "key"

    printed = seed(10, 10, api_key_file=file)

    text = file.read_text().strip()
    assert text.startswith("lk_")
    assert text not in printed
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_file_that_is_there_is_not_overwritten(real_db: Any, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("mine")

    with pytest.raises(CommandError, match="cannot be made"):
        seed(10, 10, api_key_file=file)
    assert file.read_text() == "mine"
    assert verification.verify().cards == 0


@pytest.mark.parametrize(("cards", "transactions"), [(0, 0), (0, 10), (10, 9), (-1, 5)])
def test_an_impossible_size_is_refused(real_db: Any, cards: int, transactions: int) -> None:
    with pytest.raises(CommandError, match="at least one"):
        seed(cards, transactions)


def test_it_is_refused_outside_of_development(real_db: Any, settings: Any) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="--force"):
        call_command("seed_load", cards=1, transactions=1)
