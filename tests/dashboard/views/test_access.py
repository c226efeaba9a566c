"""Who may open which page: every address of the back office, by every kind of visitor."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from dashboard.urls import merchant_urlpatterns, store_urlpatterns
from merchants.enums import Role
from tests.dashboard.conftest import Shop, picture

# What each page would take as a good request, so that a refusal is about who asks and not about what.
BODIES: dict[str, dict[str, Any]] = {
    "store_new": {"name": "Kirchberg", "country": "LU", "time_zone": "Europe/Luxembourg"},
    "store_edit": {"name": "Other name", "country": "LU", "time_zone": "Europe/Luxembourg"},
    "store_close": {},
    "team_role": {"role": "manager"},
    "team_remove": {},
    "api_key_new": {"name": "Script", "scopes": ["read"], "store": ""},
    "api_key_revoke": {},
    "card_adjust": {"points_delta": "5", "reason": "kindness"},
    "card_freeze": {"reason": "lost"},
    "card_merge": {"reason": "same person"},
    "card_unmerge": {"reason": "two persons"},
    "card_owner": {"staff": ""},
    "void": {"reason": "typed twice"},
    "refund": {"reason": "came back", "amount": "5"},
    "enroll": {"name": "Tom", "language": "en"},
    "settings": {"name": "Other card", "confirmed": "1"},
    "program_status": {},
    "reward_new": {"name": "Mug", "points_cost": "50"},
    "reward": {"name": "Mug", "points_cost": "50"},
    "reward_switch": {"on_offer": "0"},
    "reward_remove": {},
    "staff_new": {"name": "Tom"},
    "staff_member": {"name": "Tom"},
    "staff_rotate": {},
    "staff_unlock": {},
    "staff_revoke": {},
    "terminal_new": {"name": "Till 2"},
    "terminal_revoke": {},
    "terminals_discard": {"reason": "practice", "items": '[{"key": "a"}]'},
    "branding": {"name": "Other", "card_color": "#112233"},
    "card_erase": {"reason": "asked in writing"},
    "logo": {},
    "logo_remove": {},
    "reward_picture": {},
    "reward_picture_remove": {},
    "review_accept": {},
    "review_dismiss": {"note": "nobody knows"},
    "team_invite": {"email": "nina@example.com", "role": "manager"},
    "invitation_resend": {},
    "invitation_revoke": {},
    "support": {"hours": "24"},
    "support_withdraw": {},
}
READ_ONLY = {
    "stores",
    "team",
    "wallets",
    "api_keys",
    "home",
    "stats",
    "stats_file",
    "cards",
    "card",
    "rewards",
    "staff",
    "terminals",
    "posters",
    "poster_file",
    "reviews",
    "export",
    "export_file",
}
POST_ONLY = {
    "team_role", "terminals_discard", "reward_switch", "staff_rotate", "staff_unlock", "logo", "reward_picture",
    "review_accept", "invitation_resend", "support_withdraw",
}  # fmt: skip
# Whoever takes a file away is noted in the audit: reading it is no reading only.
NOTED = {"export_file"}
# What a login of role staff may open.
FOR_STAFF = {"home"}

PATTERNS = {pattern.name: pattern for pattern in [*store_urlpatterns, *merchant_urlpatterns]}


def address(pattern: URLPattern, shop: Shop, store_code: str) -> str:
    """Return the address of a page about the shop's objects, under a store code."""
    known = {**shop.ids, "store_code": store_code, "status": "paused", "kind": "cards", "size": "a4"}
    wanted = pattern.pattern.converters
    return reverse(f"dashboard:{pattern.name}", kwargs={name: known[name] for name in wanted})


def visit(client: Client, name: str, url: str) -> Any:
    """Ask for a page in the way that does something, if it does anything."""
    return client.post(url, BODIES[name]) if name in BODIES else client.get(url)


def test_every_page_has_an_entry_here() -> None:
    assert set(PATTERNS) == set(BODIES) | READ_ONLY


def test_anonymous_signs_in_first(shop: Shop, client: Client) -> None:
    before = picture(shop)
    for name, pattern in PATTERNS.items():
        for code in (shop.code, "no-such-store"):
            url = address(pattern, shop, code)
            for answer in (client.get(url), client.post(url, BODIES.get(name, {}))):
                assert answer.status_code == 302, name
                assert answer.url == f"/accounts/login/?next={url}"
    assert picture(shop) == before


def test_another_merchant_finds_nothing_and_changes_nothing(shop: Shop, other: Shop) -> None:
    browser, before = other.client(), picture(shop)
    for name, pattern in PATTERNS.items():
        if "store_code" in pattern.pattern.converters:
            assert visit(browser, name, address(pattern, shop, shop.code)).status_code == 404, name
        if set(pattern.pattern.converters) - {"store_code", "status", "kind", "size"}:
            # The own store's address with the foreign object in it.
            foreign = address(pattern, shop, other.code)
            assert visit(browser, name, foreign).status_code == 404, name
            assert browser.get(foreign).status_code == (405 if name in POST_ONLY else 404), name
    assert picture(shop) == before


def test_staff_get_what_their_role_allows(shop: Shop) -> None:
    browser, before = shop.client(Role.STAFF), picture(shop)
    for name, pattern in PATTERNS.items():
        answer = visit(browser, name, address(pattern, shop, shop.code))
        assert answer.status_code == (200 if name in FOR_STAFF else 403), name
    assert picture(shop) == before


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_managers_open_every_page(role: str, shop: Shop) -> None:
    browser, before = shop.client(role), picture(shop)
    for name, pattern in PATTERNS.items():
        if name in NOTED:
            continue
        answer = browser.get(address(pattern, shop, shop.code))
        assert answer.status_code == (405 if name in POST_ONLY else 200), name
        assert answer["Cache-Control"] == "no-store, private"
    assert picture(shop) == before


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 200), (Role.MANAGER, 302)])
def test_the_full_export_is_the_owners(role: str, status: int, shop: Shop) -> None:
    assert shop.client(role).get(address(PATTERNS["export_file"], shop, shop.code)).status_code == status


def test_an_empty_request_is_answered_with_the_form(shop: Shop) -> None:
    browser = shop.client()
    forms = sorted(name for name in set(BODIES) - POST_ONLY if BODIES[name])
    for name in forms:
        answer = browser.post(address(PATTERNS[name], shop, shop.code), {})
        assert answer.status_code in (200, 302, 400), name
    for step in (1, 2, 3):
        assert browser.post(f"/store/onboarding/{step}", {}).status_code == 400


@pytest.mark.parametrize("rest", ["nothing-here", "cards/not-an-id", "x" * 300, "loyalty/%00"])
def test_an_address_that_is_no_page_asks_for_a_sign_in_then_is_404(rest: str, shop: Shop, client: Client) -> None:
    url = f"/store/{shop.code}/loyalty/{rest}"
    assert client.get(url).status_code == 302
    assert shop.client().get(url).status_code == 404


def test_a_closed_store_is_gone_for_its_own_people_too(shop: Shop) -> None:
    browser = shop.client()
    browser.post(address(PATTERNS["store_close"], shop, shop.code))
    assert browser.get(shop.page()).status_code == 404


def test_somebody_who_left_the_team_finds_nothing(shop: Shop) -> None:
    browser = shop.client(Role.MANAGER)
    assert browser.get(shop.page()).status_code == 200
    member = shop.client().get("/store/merchant/team").context["members"]
    row = next(person for person in member if person.user_id == shop.people[Role.MANAGER].pk)
    shop.client().post(f"/store/merchant/team/{row.id}/remove")
    assert browser.get(shop.page()).status_code == 404
