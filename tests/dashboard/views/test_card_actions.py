"""What a manager does to a whole card: adjust, freeze, merge and take back, say whose own it is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry
from customers.models import Consent, Customer
from loyalty.models import Card, CardMerge
from loyalty.queries import verification
from loyalty.services import freezing, merges
from tests.dashboard.conftest import Shop, furnish, open_shop, picture

PAGES = {
    "adjust": {"points_delta": "5", "reason": "kindness"},
    "freeze": {"reason": "lost", "to": "frozen"},
    "merge": {"reason": "same person"},
    "unmerge": {"reason": "two persons"},
    "owner": {"staff": ""},
}


@pytest.fixture
def shop(db: None) -> Shop:
    return furnish(open_shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=10))


def send(shop: Shop, card: Card, verb: str, key: str | None = None, **data: str) -> Any:
    form = {**PAGES[verb], "key": key or str(uuid7()), **data}
    return shop.client().post(shop.page(f"cards/{card.pk}/{verb}"), form)


def show(shop: Shop, card: Card, rest: str = "") -> Any:
    answer = shop.client().get(shop.page(f"cards/{card.pk}{rest}"))
    assert answer.status_code == 200
    return answer


def fresh(shop: Shop, card: Card) -> Card:
    return shop.world.fresh(card)


def test_a_balance_is_put_right_with_its_reason(shop: Shop) -> None:
    card = shop.card(name="Tom")
    assert "Adjust" in show(shop, card, "/adjust").content.decode()
    assert send(shop, card, "adjust", stamps_delta="3", points_delta="50").url == shop.page(f"cards/{card.pk}")
    after = shop.world.assert_adds_up(card)
    assert (after.stamp_count, after.points_balance) == (3, 50)
    assert send(shop, card, "adjust", stamps_delta="-1", points_delta="").status_code == 302
    shown = show(shop, card).content.decode()
    assert "kindness" in shown
    assert "2 of 10 stamps" in shown


@pytest.mark.parametrize(
    ("data", "status", "where"),
    [({"points_delta": "", "stamps_delta": ""}, 400, "stamps_delta"), ({"stamps_delta": "x"}, 400, "stamps_delta"),
     ({"stamps_delta": "51"}, 400, "stamps_delta"), ({"points_delta": "1.5"}, 400, "points_delta"),
     ({"points_delta": "9" * 30}, 400, "points_delta"), ({"reason": ""}, 400, "reason"),
     ({"reason": "a\x00b"}, 400, "reason"), ({"points_delta": "-5"}, 409, "__all__"),
     ({"stamps_delta": "-1", "points_delta": ""}, 409, "__all__")],
)  # fmt: skip
def test_a_bad_adjustment_is_said_at_its_field(shop: Shop, data: dict[str, str], status: int, where: str) -> None:
    card = shop.card(name="Tom")
    answer = send(shop, card, "adjust", **data)
    assert answer.status_code == status
    assert list(answer.context["form"].errors) == [where]
    assert len(shop.world.rows(card)) == 1


def test_only_what_the_program_counts_can_be_adjusted(db: None) -> None:
    shop = open_shop(loyalty_type="stamps")
    card = shop.card(name="Tom")
    assert list(show(shop, card, "/adjust").context["form"].fields) == ["stamps_delta", "reason"]


@pytest.mark.parametrize("verb", ["adjust", "freeze", "merge"])
def test_a_second_click_does_it_once(shop: Shop, verb: str) -> None:
    card, other, key = shop.card(name="Tom"), shop.card(name="Tom"), str(uuid7())
    more = {"into": str(other.pk)} if verb == "merge" else {}
    for _ in range(2):
        assert send(shop, card, verb, key, **more).status_code == 302
    assert len(shop.world.rows(card)) <= 2
    assert verification.verify(shop.merchant_id).differences == ()


def test_a_card_is_frozen_and_goes_on(shop: Shop) -> None:
    card = shop.card(name="Tom")
    assert show(shop, card, "/freeze").context["to"] == "frozen"
    send(shop, card, "freeze", reason="lost at the market")
    shown = show(shop, card).content.decode()
    assert "Frozen: lost at the market" in shown
    assert "Merge with another card" not in shown
    assert show(shop, card, "/freeze").context["to"] == "active"
    # A form that was opened before does not undo what somebody else did since.
    assert send(shop, card, "freeze").status_code == 409
    assert send(shop, card, "freeze", to="active").status_code == 302
    assert fresh(shop, card).status == "active"
    with tenancy.scope(shop.merchant_id):
        actions = AuditEntry.objects.filter(target=f"card {card.pk}").order_by("id").values_list("action", "actor_id")
        owner = shop.world.owner.pk
        assert list(actions) == [("card_frozen", owner), ("card_unfrozen", owner)]


def test_two_cards_are_found_shown_side_by_side_and_merged(shop: Shop) -> None:
    lost, new = shop.card(name="Tom Old"), shop.card(name="Tom New")
    shop.world.stamp(lost, 8)
    shop.world.stamp(new, 5)
    found = show(shop, lost, "/merge?search=tom").context["rows"]
    assert [row.title for row in found] == ["Tom New"]
    page = show(shop, lost, f"/merge?into={new.pk}")
    words = page.content.decode()
    assert page.context["balance"] == "3 / 10 · 0 points"
    assert "1 reward becomes ready" in words
    assert f"cards/{new.pk}/merge?into={lost.pk}" in words
    answer = send(shop, lost, "merge", into=str(new.pk))
    assert answer.url == shop.page(f"cards/{new.pk}")
    after = show(shop, new)
    assert "30 days left" in after.content.decode() or "29 days left" in after.content.decode()
    line = after.context["history"].lines[1]
    assert line.title == f"Merged in from card •• {lost.card_number[-4:]}"
    assert (line.delta, line.note) == ("+8 stamps", "same person")
    ended = show(shop, lost).content.decode()
    assert shop.page(f"cards/{new.pk}") in ended
    assert "Adjust the balance" not in ended


@pytest.mark.parametrize("page", ["/merge", "/merge?search=t", "/adjust", "/freeze"])
def test_no_button_carries_a_persons_name_into_an_address(page: str, shop: Shop) -> None:
    card = shop.card(name="Zoé Quirin")
    html = show(shop, card, page).content.decode()

    assert 'name="Zoé' not in html


def test_consents_are_shown_with_their_proof(shop: Shop) -> None:
    card = shop.card(name="Tom", email="tom@example.com")
    assert "Proof of consent" not in show(shop, card).content.decode()
    with tenancy.scope(shop.merchant_id):
        for granted, day in ((True, 3), (False, 4)):
            Consent.objects.create(
                customer_id=card.customer_id, purpose="marketing", channel="email", granted=granted, language="fr",
                text_version="2026-11", source="storefront", address="tom@example.com",
                recorded_at=datetime(2026, 5, day, 12, tzinfo=UTC),
            )  # fmt: skip
    answer = show(shop, card)
    page = answer.content.decode()

    assert answer.context["consents"].given == []
    assert [row.granted for row in answer.context["consents"].decisions] == [False, True]
    assert "Proof of consent" in page
    assert 'With the card · <span translate="no">2026-11 · fr · tom@example.com' in page
    assert page.index(">Withdrawn<") < page.index(">Agreed<")


def test_a_merge_is_taken_back(shop: Shop) -> None:
    lost, new = shop.card(name="Tom"), shop.card(name="Tomas")
    shop.world.stamp(lost, 8)
    shop.world.stamp(new, 5)
    send(shop, lost, "merge", into=str(new.pk))
    shop.world.redeem(new)
    page = show(shop, lost, "/unmerge")
    assert page.context["points"][0] == "It gets back: 3 stamps."
    assert "What was spent stays spent" in page.context["points"][1]
    assert send(shop, lost, "unmerge").status_code == 302
    assert (fresh(shop, lost).status, fresh(shop, lost).stamp_count) == ("active", 3)
    assert verification.verify(shop.merchant_id).differences == ()
    assert send(shop, lost, "unmerge").status_code == 409


def test_what_cannot_be_merged_or_taken_back_says_why(shop: Shop) -> None:
    card, other = shop.card(name="Tom"), shop.card(name="Tomas")
    freezing.freeze(merchant_id=shop.merchant_id, card_id=other.pk, reason="x", at=shop.world.at)
    page = show(shop, card, f"/merge?into={other.pk}")
    assert "frozen card cannot be merged" in page.context["problem"]
    assert send(shop, card, "merge", into=str(other.pk)).status_code == 409
    assert "cannot be merged into itself" in show(shop, card, f"/merge?into={card.pk}").context["problem"]
    assert "not merged" in show(shop, card, "/unmerge").context["problem"]
    assert fresh(shop, card).status == "active"


@pytest.mark.parametrize("into", ["x", "00000000-0000-0000-0000-000000000000", "a\x00"])
def test_another_card_that_is_not_there_is_404(shop: Shop, into: str) -> None:
    card = shop.card(name="Tom")
    assert shop.client().get(shop.page(f"cards/{card.pk}/merge"), {"into": into}).status_code == 404
    assert send(shop, card, "merge", into=into).status_code == 404


def test_no_other_card_asks_for_one(shop: Shop) -> None:
    card = shop.card(name="Tom")
    assert send(shop, card, "merge").status_code == 400
    with tenancy.scope(shop.merchant_id):
        assert CardMerge.objects.count() == 0


def test_another_merchants_card_is_neither_shown_nor_merged(shop: Shop, other: Shop) -> None:
    card, foreign = shop.card(name="Tom"), other.ids["card_id"]
    before = picture(other)
    assert shop.client().get(shop.page(f"cards/{card.pk}/merge"), {"into": str(foreign)}).status_code == 404
    assert send(shop, card, "merge", into=str(foreign)).status_code == 404
    for verb, body in PAGES.items():
        url = shop.page(f"cards/{foreign}/{verb}")
        assert shop.client().get(url).status_code == 404
        assert shop.client().post(url, body).status_code == 404
    assert picture(other) == before


@pytest.mark.parametrize("verb", list(PAGES))
def test_a_staff_login_may_not(shop: Shop, verb: str) -> None:
    url, before = shop.page(f"cards/{shop.ids['card_id']}/{verb}"), picture(shop)
    assert shop.client("staff").get(url).status_code == 403
    assert shop.client("staff").post(url, PAGES[verb]).status_code == 403
    assert picture(shop) == before


def test_a_card_is_said_to_be_a_colleagues_own(shop: Shop) -> None:
    card, staff_id = shop.card(name="Anna"), str(shop.ids["staff_id"])
    assert staff_id in show(shop, card).content.decode()
    assert send(shop, card, "owner", staff=staff_id).status_code == 302
    with tenancy.scope(shop.merchant_id):
        assert str(Customer.objects.get(pk=card.customer_id).staff_pin_id) == staff_id
    assert show(shop, card, "/owner").context["form"].initial["staff"] == staff_id
    assert send(shop, card, "owner", staff="").status_code == 302
    assert send(shop, card, "owner", staff=str(uuid7())).status_code == 400
    with tenancy.scope(shop.merchant_id):
        assert Customer.objects.get(pk=card.customer_id).staff_pin_id is None
        found = AuditEntry.objects.filter(target=f"customer {card.customer_id}").order_by("id")
        assert list(found.values_list("action", flat=True)) == ["own_card_linked", "own_card_unlinked"]


def test_the_history_of_the_customer_explains_the_merge(shop: Shop) -> None:
    lost, new = shop.card(name="Tom"), shop.card(name="Tomas")
    shop.world.stamp(lost, 2)
    merges.merge(
        merchant_id=shop.merchant_id, card_id=lost.pk, into_id=new.pk, reason="", at=shop.world.at,
        channel="storefront",
    )  # fmt: skip
    assert show(shop, new).context["history"].lines[0].who == "Customer"
