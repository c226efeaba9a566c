"""A look into a merchant's pages: only with its consent, only for a while, only to read, and every page is noted."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from core import tenancy
from core.errors import PermissionDenied, ValidationFailed
from dashboard.urls import merchant_urlpatterns, store_urlpatterns
from merchants.enums import Role
from merchants.models import SupportConsent
from merchants.queries import support as consents
from merchants.services import support
from tests.dashboard.conftest import Shop, picture
from tests.support.desk import Desk, audit

pytestmark = pytest.mark.django_db
WHY = "ticket 4711"
PATTERNS = {
    str(pattern.name): pattern
    for pattern in [*store_urlpatterns, *merchant_urlpatterns]
    if isinstance(pattern, URLPattern)
}
TAKES_DATA_AWAY = {"export_file"}


@pytest.fixture
def desk() -> Desk:
    return Desk.open(headers={"Accept-Language": "en"})


def allow(shop: Shop, hours: int = 24) -> SupportConsent:
    return support.allow(
        merchant_id=shop.merchant_id, hours=hours, at=timezone.now(), actor_id=shop.people[Role.OWNER].pk
    )


def withdraw(shop: Shop) -> None:
    support.withdraw(merchant_id=shop.merchant_id, at=timezone.now(), actor_id=shop.people[Role.OWNER].pk)


def begin(desk: Client, shop: Shop, reason: str = WHY) -> Any:
    return desk.post(f"/admin/loyalty/merchants/{shop.merchant_id}/look", {"reason": reason})


def address(name: str, shop: Shop) -> str:
    known = {**shop.ids, "store_code": shop.code, "status": "paused", "kind": "cards", "size": "a4"}
    return reverse(f"dashboard:{name}", kwargs={key: known[key] for key in PATTERNS[name].pattern.converters})


def test_it_works(desk: Desk, shop: Shop) -> None:
    consent = allow(shop)

    begun = begin(desk, shop)
    page = desk.get(begun["Location"])

    assert (begun.status_code, begun["Location"]) == (302, shop.page())
    assert page.status_code == 200
    assert "You look as the platform" in page.content.decode()
    [noted] = audit("support_looked")
    assert (noted.actor_id, noted.merchant_id, noted.reason) == (desk.user.pk, shop.merchant_id, WHY)
    assert noted.target == f"page {shop.page()}"
    assert noted.facts["consent"] == str(consent.pk)
    assert abs(timezone.now() - noted.created_at) < timedelta(minutes=1)


def test_without_consent_every_page_stays_closed(desk: Desk, shop: Shop) -> None:
    begun = begin(desk, shop)
    told = desk.get(begun["Location"]).content.decode()

    assert begun["Location"] == f"/admin/loyalty/merchants/{shop.merchant_id}"
    assert "does not let anybody look at present" in told
    for name, pattern in PATTERNS.items():
        if "store_code" in pattern.pattern.converters:
            assert desk.get(address(name, shop)).status_code in (404, 405), name
    assert desk.get("/store/merchant/team").status_code == 404
    assert audit("support_looked") == []


def test_consent_alone_opens_nothing_before_somebody_said_why(desk: Desk, shop: Shop) -> None:
    allow(shop)

    assert desk.get(shop.page()).status_code == 404
    assert begin(desk, shop, reason="").status_code == 400
    assert begin(desk, shop, reason="see marie@example.com").status_code == 400
    assert desk.get(shop.page()).status_code == 404


def test_every_page_opens_with_the_banner_and_nothing_changes(desk: Desk, shop: Shop) -> None:
    allow(shop)
    begin(desk, shop)
    before = picture(shop)
    opened = 0
    for name in PATTERNS:
        answer = desk.get(address(name, shop))
        if name in TAKES_DATA_AWAY:
            assert answer.status_code == 403, name
            continue
        assert answer.status_code in (200, 405), name
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            assert "You look as the platform" in answer.content.decode(), name
            assert answer["Cache-Control"] == "no-store, private"
        opened += answer.status_code == 200
    after = picture(shop)

    noted = audit("support_looked")
    assert opened > 30
    assert len(noted) >= opened
    some = {address(name, shop) for name in ("cards", "card", "team", "api_keys")}
    assert some <= {row.facts["page"] for row in noted}
    before.pop("core.AuditEntry")
    after.pop("core.AuditEntry")
    assert after == before


def test_a_search_leaves_no_name_in_the_audit(desk: Desk, shop: Shop) -> None:
    allow(shop)
    begin(desk, shop)

    assert desk.get(shop.page("cards"), {"q": "Marie"}).status_code == 200

    assert "Marie" not in str([(row.target, row.facts, row.reason) for row in audit("support_looked")])


def test_every_change_is_refused(desk: Desk, shop: Shop) -> None:
    allow(shop)
    begin(desk, shop)
    before = picture(shop)

    for name in PATTERNS:
        answer = desk.post(address(name, shop), {"reason": "x", "name": "Changed", "hours": "168"})
        assert answer.status_code == 403, name
        assert "stays with its people" in answer.content.decode()
    for method in ("put", "patch", "delete"):
        assert getattr(desk, method)(shop.page()).status_code == 403
    assert picture(shop) == before


def test_the_database_refuses_what_a_page_would_write(desk: Desk, shop: Shop, monkeypatch: Any) -> None:
    """A page of tomorrow that writes while it is read fails under a look instead of changing something."""
    from django.db import InternalError

    from dashboard.views import team
    from merchants.models import Membership

    def writes(self: Any, *args: Any, **kwargs: Any) -> Any:
        Membership.objects.update(role=Role.OWNER)
        raise AssertionError("the database let it through")

    monkeypatch.setattr(team.Team, "get", writes)
    allow(shop)
    begin(desk, shop)

    with pytest.raises(InternalError, match="read-only transaction"):
        desk.get("/store/merchant/team")


def test_it_ends_at_once_when_it_is_withdrawn(desk: Desk, shop: Shop) -> None:
    allow(shop)
    begin(desk, shop)
    assert desk.get(shop.page("cards")).status_code == 200

    ended = shop.client().post("/store/merchant/support/withdraw")
    answer = desk.get(shop.page("cards"))

    assert ended.status_code == 302
    assert answer.status_code == 403
    assert "does not let anybody look at present" in answer.content.decode()
    assert "Marie" not in answer.content.decode()
    assert [row.actor_id for row in audit("support_withdrawn")] == [shop.people[Role.OWNER].pk]


def test_it_ends_by_time(desk: Desk, shop: Shop) -> None:
    at = timezone.now()
    consent = support.allow(
        merchant_id=shop.merchant_id, hours=1, at=at - timedelta(minutes=59), actor_id=shop.people[Role.OWNER].pk
    )
    begin(desk, shop)
    assert desk.get(shop.page()).status_code == 200
    with tenancy.scope(shop.merchant_id):
        assert consents.consent(at=consent.expires_at - timedelta(seconds=1)) == consent
        assert consents.consent(at=consent.expires_at) is None
        SupportConsent.objects.update(expires_at=at)

    assert desk.get(shop.page()).status_code == 403


def test_other_merchants_stay_closed(desk: Desk, shop: Shop, other: Shop) -> None:
    allow(shop)
    begin(desk, shop)

    assert desk.get(shop.page()).status_code == 200
    assert desk.get(other.page()).status_code == 404
    assert desk.get(other.page(f"cards/{other.ids['card_id']}")).status_code == 404
    assert desk.get(shop.page(f"cards/{other.ids['card_id']}")).status_code == 404
    assert begin(desk, other)["Location"] == f"/admin/loyalty/merchants/{other.merchant_id}"


def test_the_till_and_the_api_stay_closed(desk: Desk, shop: Shop) -> None:
    allow(shop)
    begin(desk, shop)

    assert desk.get(shop.page("terminal")).status_code != 200
    assert desk.get(f"/api/v1/store/loyalty/cards?store={shop.code}").status_code in (401, 403, 404)
    assert desk.get("/api/v1/merchant/customers").status_code in (401, 403, 404)


def test_leaving_ends_the_look(desk: Desk, shop: Shop) -> None:
    allow(shop)
    begin(desk, shop)

    left = desk.post(f"/admin/loyalty/merchants/{shop.merchant_id}/look/end")

    assert left["Location"] == f"/admin/loyalty/merchants/{shop.merchant_id}"
    assert desk.get(shop.page()).status_code == 404


@pytest.mark.parametrize("who", ["second factor lost", "no longer staff", "without the right"])
def test_a_look_ends_with_the_right_to_it(who: str, desk: Desk, shop: Shop) -> None:
    allow(shop)
    begin(desk, shop)
    if who == "second factor lost":
        Authenticator.objects.filter(user=desk.user).delete()
    elif who == "no longer staff":
        desk.user.is_staff = False
    else:
        desk.user.is_superuser = False
    desk.user.save()

    assert desk.get(shop.page()).status_code == 404


def test_staff_of_the_platform_need_the_right_to_act_on_merchants(shop: Shop) -> None:
    allow(shop)
    desk = Desk.open(superuser=False)
    desk.user.user_permissions.add(Permission.objects.get(codename="view_merchant"))

    assert begin(desk, shop).status_code == 403
    desk.user.user_permissions.add(Permission.objects.get(codename="change_merchant"))
    assert begin(desk, shop)["Location"] == shop.page()
    assert desk.get(shop.page()).status_code == 200


def test_people_of_the_merchant_are_no_lookers(shop: Shop) -> None:
    """The session's key alone opens nothing to somebody who is not of the platform."""
    allow(shop)
    outsider = Desk.open()
    begin(outsider, shop)
    outsider.user.is_staff = outsider.user.is_superuser = False
    outsider.user.save()

    assert outsider.get(shop.page()).status_code == 404
    owner = shop.client()
    assert begin(owner, shop).status_code == 302
    assert owner.get(shop.page()).status_code == 200
    assert "You look as the platform" not in owner.get(shop.page()).content.decode()


@pytest.mark.parametrize("hours", [1, 24, 168])
def test_an_owner_allows_it_for_a_while(hours: int, shop: Shop) -> None:
    owner = shop.client()

    answer = owner.post("/store/merchant/support", {"hours": str(hours)})
    page = owner.get("/store/merchant/support").content.decode()

    assert answer.status_code == 302
    assert "End it now" in page
    with tenancy.scope(shop.merchant_id):
        row = SupportConsent.objects.get()
    assert row.expires_at - row.granted_at == timedelta(hours=hours)
    [noted] = audit("support_allowed")
    assert (noted.actor_id, noted.facts["hours"]) == (shop.people[Role.OWNER].pk, hours)


@pytest.mark.parametrize("hours", ["", "2", "0", "-1", "999999", "٣", "1.5", "x"])
def test_no_other_time_can_be_chosen(hours: str, shop: Shop) -> None:
    shop.client().post("/store/merchant/support", {"hours": hours})

    with tenancy.scope(shop.merchant_id):
        assert not SupportConsent.objects.exists()
    with pytest.raises(ValidationFailed):
        support.allow(merchant_id=shop.merchant_id, hours=2, at=timezone.now(), actor_id=shop.people[Role.OWNER].pk)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.STAFF])
def test_only_an_owner_allows_or_ends_it(role: str, shop: Shop) -> None:
    browser = shop.client(role)

    browser.post("/store/merchant/support", {"hours": "24"})
    with tenancy.scope(shop.merchant_id):
        assert not SupportConsent.objects.exists()
    allow(shop)
    browser.post("/store/merchant/support/withdraw")
    with tenancy.scope(shop.merchant_id):
        assert consents.consent(at=timezone.now()) is not None
    for change in (support.withdraw, lambda **given: support.allow(hours=1, **given)):
        with pytest.raises(PermissionDenied):
            change(merchant_id=shop.merchant_id, at=timezone.now(), actor_id=shop.people[role].pk)


def test_allowing_anew_replaces_what_was_allowed(shop: Shop) -> None:
    allow(shop, 168)
    allow(shop, 1)

    with tenancy.scope(shop.merchant_id):
        open_ones = [row for row in SupportConsent.objects.all() if row.holds(timezone.now())]
    assert [row.expires_at - row.granted_at for row in open_ones] == [timedelta(hours=1)]


def test_the_merchant_reads_who_looked_where_and_why(desk: Desk, shop: Shop) -> None:
    desk.user.name = "Nora Platform"
    desk.user.save()
    allow(shop)
    begin(desk, shop)
    desk.get(shop.page("cards"))

    page = shop.client(Role.MANAGER).get("/store/merchant/support").content.decode()

    for word in ("Nora Platform", shop.page("cards"), WHY):
        assert word in page
    assert "End it now" not in page


def test_the_consent_is_behind_the_tenants_boundary(shop: Shop, other: Shop) -> None:
    allow(shop)

    with tenancy.scope(other.merchant_id):
        assert not SupportConsent.objects.exists()
        assert consents.consent(at=timezone.now()) is None
