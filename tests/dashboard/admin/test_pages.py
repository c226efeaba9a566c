"""The platform's own pages in the admin: who may open them, what they show, and what they cost."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry
from dashboard.admin import audited
from dashboard.models import DayBalance, DayFigures
from dashboard.queries import platform_days, platform_lists
from dashboard.queries.periods import Period
from dashboard.services import rollups
from merchants.enums import MerchantStatus, Role
from merchants.models import Merchant, MerchantSettings
from tests.factories.merchants import MerchantFactory
from tests.support.desk import WHY, Desk, audit
from tests.support.house import House
from tests.support.world import World
from wallets.models import PassUpdate

pytestmark = pytest.mark.django_db
ROOT = "/admin/loyalty"


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    cache.clear()


@pytest.fixture
def desk() -> Desk:
    return Desk.open(headers={"Accept-Language": "en"})


@pytest.fixture
def house() -> House:
    return House.make("ours")


def addresses(merchant_id: Any) -> list[str]:
    of_it = f"{ROOT}/merchants/{merchant_id}"
    return [f"{ROOT}/programs", f"{ROOT}/analytics", of_it, f"{of_it}/settings"]


def counted(world: World) -> None:
    """Bring the rollups of a merchant up to date."""
    rollups.rebuild(merchant_id=world.merchant_id, at=timezone.now())


def busy(stamps: int = 3, **rules: Any) -> World:
    """Make a merchant that gave stamps today."""
    world = World.make(at=timezone.now(), **rules)
    world.stamp(world.card(), stamps)
    counted(world)
    return world


def test_it_works(desk: Desk, house: House) -> None:
    for path in addresses(house.world.merchant_id):
        answer = desk.get(path)
        assert answer.status_code == 200, path
        assert f"{'Programme' if path.endswith('programs') else 'Merchant'}-ours" in answer.content.decode(), path


def test_everybody_else_is_sent_away_and_told_nothing(house: House) -> None:
    before = house.picture()
    visitors: dict[str, Client] = {
        "anonymous": Client(), "owner": house.person(), "manager": house.person(Role.MANAGER),
        "staff": house.person(Role.STAFF), "till": house.terminal(), "customer": house.customer(),
        "administrator without a second factor": Desk.open(second_factor=False),
    }  # fmt: skip
    of_it = f"{ROOT}/merchants/{house.world.merchant_id}"
    for who, browser in visitors.items():
        for path in [*addresses(house.world.merchant_id), f"{of_it}/look", f"{of_it}/look/end"]:
            for answer in (browser.get(path), browser.post(path, {"reason": WHY, "max_stores": "1"})):
                assert answer.status_code == 302, (who, path)
                assert answer["Location"].startswith(("/admin/login/", "/accounts/2fa/totp/activate/")), (who, path)
                text = answer.content.decode()
                assert not [word for word in house.public_words + house.private_words if word in text], (who, path)
    assert house.picture() == before


def test_staff_of_the_platform_need_the_rights_of_the_admin(house: House) -> None:
    desk = Desk.open(superuser=False)
    needed = ["view_program", "view_merchant", "view_merchant", "view_merchantsettings"]
    rights = dict(zip(addresses(house.world.merchant_id), needed, strict=True))

    for path in rights:
        assert desk.get(path).status_code == 403, path
    for path, right in rights.items():
        desk.user.user_permissions.add(Permission.objects.get(codename=right))
        assert desk.get(path).status_code == 200, path
    assert desk.post(f"{ROOT}/merchants/{house.world.merchant_id}/settings", {"reason": WHY}).status_code == 403


def test_no_page_names_a_customer(desk: Desk, house: House) -> None:
    counted(house.world)
    secret = [word for word in house.private_words if not word.startswith(("Boss", "Anna", "Till", "Key"))]
    for path in addresses(house.world.merchant_id):
        text = desk.get(path).content.decode()
        assert not [word for word in secret if word in text], path


def test_the_addresses_stand_before_the_admins_own(desk: Desk, house: House) -> None:
    assert desk.get(f"{ROOT}/programs/")["Location"] == f"{ROOT}/programs"
    assert desk.get(f"{ROOT}/analytics/")["Location"] == f"{ROOT}/analytics"
    assert desk.get(f"{ROOT}/program/").status_code == 200
    assert desk.get(f"{ROOT}/program")["Location"] == f"{ROOT}/program/"
    for path in (f"{ROOT}/nowhere", f"{ROOT}/merchants/{uuid7()}", f"{ROOT}/merchants/{uuid7()}/settings"):
        assert desk.get(path).status_code == 404, path


def test_programs_are_searched_and_filtered(desk: Desk) -> None:
    worlds = [World.make(name=f"Programme {number}", loyalty_type="stamps") for number in range(2)]
    worlds.append(World.make(name="Sums", loyalty_type="points", points_per_euro="1"))
    worlds[1].change(status="paused")

    def found(**query: str) -> list[str]:
        return [line.row.name for line in desk.get(f"{ROOT}/programs", query).context["lines"]]

    assert found() == ["Sums", "Programme 1", "Programme 0"]
    assert found(q="programme") == ["Programme 1", "Programme 0"]
    assert found(status="paused") == ["Programme 1"]
    assert found(kind="points") == ["Sums"]
    assert found(status="nonsense", kind="nonsense", after="nonsense") == found()
    assert found(q="%") == found(q="nobody") == found(q="\x00\x00nobody") == []


def test_lists_have_25_lines_a_page_and_are_never_counted(desk: Desk) -> None:
    made = {MerchantFactory().name for _number in range(27)}
    with CaptureQueriesContext(connection) as asked:
        first = desk.get(f"{ROOT}/analytics")
    statements = [query["sql"] for query in asked.captured_queries]
    second = desk.get(first.context["following"].partition("#")[0])

    names = [[line.merchant.name for line in page.context["lines"]] for page in (first, second)]
    assert [len(found) for found in names] == [25, 2]
    assert set(names[0] + names[1]) == made
    assert second.context["following"] == ""
    assert second.context["first"]
    assert len([sql for sql in statements if "LIMIT 26" in sql]) == 1
    bounded = ("LIMIT", "GROUP BY")
    unbounded = [sql for sql in statements if "COUNT(" in sql and not any(word in sql for word in bounded)]
    assert len(unbounded) <= 1, "only how many merchants there are is counted"


@pytest.mark.parametrize("page", ["programs", "analytics"])
def test_a_page_costs_the_same_whatever_there_is(page: str, desk: Desk) -> None:
    busy()
    desk.get(f"{ROOT}/{page}")

    def cost() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(f"{ROOT}/{page}").status_code == 200
        return len(asked)

    alone = cost()
    for _number in range(4):
        busy()

    assert cost() == alone
    assert alone <= 45


def test_a_merchants_page_costs_the_same_whatever_it_has(desk: Desk) -> None:
    world = busy()
    path = f"{ROOT}/merchants/{world.merchant_id}"

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(path).status_code == 200
        return len(asked)

    desk.get(path)
    alone = cost()
    for number in range(3):
        world.stamp(world.card(name=f"Marie {number}"))
        world.staff(f"Anna {number}", "482" + str(number))
        world.terminal()
    counted(world)

    assert cost() == alone
    assert alone <= 50


def test_figures_equal_the_rollups(desk: Desk) -> None:
    worlds = [busy(3, stamps_target=10), busy(5, stamps_target=10)]
    points = World.make(at=timezone.now(), loyalty_type="points", points_per_euro="10")
    points.sale(points.card(), 2340)
    counted(points)

    days = desk.get(f"{ROOT}/analytics").context["days"]
    lines = desk.get(f"{ROOT}/programs").context["lines"]

    with tenancy.platform(reason="test"):
        sums = DayFigures.objects.aggregate(Sum("stamps_given"), Sum("new_cards"), Sum("visits"), Sum("points_earned"))
        made = DayBalance.objects.aggregate(Sum("cards"))["cards__sum"]
    assert (days.total.stamps_given, days.today.stamps_given) == (sums["stamps_given__sum"], 8)
    assert (days.total.new_cards, days.cards) == (sums["new_cards__sum"], made) == (3, 3)
    assert (days.total.visits, days.total.points_earned) == (sums["visits__sum"], 234)
    assert (days.merchants, days.total.new_merchants) == (3, 3)
    assert {line.row.pk: (line.cards, line.used_on) for line in lines} == {
        world.program.pk: (1, timezone.now().date()) for world in [*worlds, points]
    }
    own = desk.get(f"{ROOT}/merchants/{worlds[1].merchant_id}").context["detail"]
    assert (own.total.stamps_given, own.cards, own.total.new_cards) == (5, 1, 1)


def test_a_country_and_a_period_are_chosen(desk: Desk) -> None:
    here, there = busy(3, stamps_target=10), busy(4, stamps_target=10)
    with tenancy.scope(there.merchant_id):
        Merchant.objects.update(country="BE", status=MerchantStatus.CLOSED)
        DayFigures.objects.update(day=timezone.now().date() - timedelta(days=40))

    def read(**query: str) -> tuple[Any, list[Any]]:
        context = desk.get(f"{ROOT}/analytics", query).context
        return context["days"], [line.merchant.pk for line in context["lines"]]

    belgium, rows = read(country="BE", period="90")
    assert (belgium.total.stamps_given, belgium.merchants, belgium.cards, rows) == (4, 0, 1, [there.merchant_id])
    everywhere, rows = read(period="28")
    assert (everywhere.total.stamps_given, everywhere.before.stamps_given, len(rows)) == (3, 4, 2)
    assert read(country="LU", period="7")[0].total.stamps_given == 3
    day = (timezone.now().date() - timedelta(days=40)).isoformat()
    assert read(**{"from": day, "to": day})[0].total.stamps_given == 4
    assert read(**{"from": day, "to": day})[0].today.stamps_given == 3
    assert read(country="XX")[0].total.stamps_given == 3
    assert here.merchant_id in rows


@pytest.mark.parametrize(
    "query", [{"from": "nonsense"}, {"from": "2026-03-02", "to": "2026-03-01"}, {"from": "1999-01-01"}]
)
def test_days_that_nobody_can_mean_are_named(desk: Desk, query: dict[str, str]) -> None:
    page = desk.get(f"{ROOT}/analytics", query)

    assert page.status_code == 200
    assert page.context["wrong"]
    assert page.context["period"].days == 28


def test_flags_say_what_needs_a_look(desk: Desk) -> None:
    quiet, stopped, late = busy(), busy(), busy()
    long_ago = timezone.now() - timedelta(days=60)
    with tenancy.scope(quiet.merchant_id):
        Merchant.objects.update(created_at=long_ago)
        DayFigures.objects.update(day=long_ago.date())
    with tenancy.scope(stopped.merchant_id):
        Merchant.objects.update(status=MerchantStatus.SUSPENDED)
        MerchantSettings.objects.update(enrollment_suspended=True, messages_suspended=True)
    with tenancy.scope(late.merchant_id):
        card = late.card()
        old = timezone.now() - timedelta(minutes=5)
        PassUpdate.objects.create(card=card, provider="google", state="failed", queued_at=old, due_at=old)

    lines = desk.get(f"{ROOT}/analytics").context["lines"]

    assert {line.merchant.pk: [flag.label for flag in line.flags] for line in lines} == {
        quiet.merchant_id: ["Quiet for a month"],
        stopped.merchant_id: ["Enrolments stopped", "Messages stopped"],
        late.merchant_id: ["Passes late: 1"],
    }
    assert desk.get(f"{ROOT}/analytics").context["tiles"][3]["value"] == "1"
    page = desk.get(f"{ROOT}/merchants/{late.merchant_id}")
    assert [row.card_id for row in page.context["detail"].late] == [card.pk]
    own = {
        line.merchant.pk: [flag.label for flag in line.flags] for line in desk.get(f"{ROOT}/programs").context["lines"]
    }
    assert own[stopped.merchant_id] == ["Suspended", "Enrolments stopped", "Messages stopped"]


def test_health_stands_on_the_page(desk: Desk) -> None:
    labels = {line.label for line in desk.get(f"{ROOT}/analytics").context["health"]}

    assert {"Events waiting", "Mails that failed", "Pass updates waiting", "Pass updates that failed"} <= labels
    assert {"Apple Wallet", "Google Wallet", "Ledger verified"} <= labels


def test_totals_are_a_minute_old_at_most(desk: Desk) -> None:
    busy(1)
    at = timezone.now()
    with tenancy.platform(reason="test"):
        first = platform_days.of(Period(at.date(), at.date()), country="", at=at)
    busy(2)
    with tenancy.platform(reason="test"):
        kept = platform_days.of(Period(at.date(), at.date()), country="", at=at)

    assert kept == first
    assert platform_days.KEPT_SECONDS == 60


def test_actions_that_exist_are_offered_for_this_merchant(desk: Desk, house: House) -> None:
    page = desk.get(f"{ROOT}/merchants/{house.world.merchant_id}")
    offered = [entry["name"] for entry in page.context["row_actions"]]

    assert "suspend" in offered
    assert "allow_enrollment" not in offered
    with tenancy.platform(reason="test"):
        merchant = Merchant.objects.get(pk=house.world.merchant_id)
    assert desk.act("suspend", merchant, from_row="1").status_code == 302
    assert "Suspended" in desk.get(f"{ROOT}/merchants/{merchant.pk}").content.decode()
    assert "ticket 4711" in desk.get(f"{ROOT}/merchants/{merchant.pk}").content.decode()


def settings_of(house: House) -> dict[str, Any]:
    with tenancy.scope(house.world.merchant_id):
        row = MerchantSettings.objects.get()
    boxes = ("allow_self_enrollment", "allow_void_transactions", "allow_cross_store_redemption", "double_opt_in")
    return {
        "staff_pin_policy": row.staff_pin_policy, "pin_max_failed_attempts": "5", "pin_lockout_minutes": "30",
        "own_card_policy": row.own_card_policy, "max_stores": "25", "features": "{}",
        **{name: "on" for name in boxes if getattr(row, name)},
    }  # fmt: skip


def test_settings_are_changed_with_a_reason(desk: Desk, house: House) -> None:
    path = f"{ROOT}/merchants/{house.world.merchant_id}/settings"
    wanted = {**settings_of(house), "staff_pin_policy": "required", "max_stores": "3", "reason": WHY}
    del wanted["allow_self_enrollment"]

    answer = desk.post(path, wanted)

    assert answer["Location"] == f"{ROOT}/merchants/{house.world.merchant_id}"
    with tenancy.scope(house.world.merchant_id):
        row = MerchantSettings.objects.get()
    assert (row.staff_pin_policy, row.max_stores, row.allow_self_enrollment) == ("required", 3, False)
    [noted] = audit("merchant_settings_changed")
    assert (noted.actor_id, noted.reason, noted.merchant_id) == (desk.user.pk, WHY, house.world.merchant_id)
    assert noted.facts["old"] == {"staff_pin_policy": "optional", "max_stores": 25, "allow_self_enrollment": True}


@pytest.mark.parametrize(
    "wrong",
    [{"reason": ""}, {"reason": "a@b.example"}, {"max_stores": "0"}, {"features": "["}, {"pin_lockout_minutes": "x"}],
)
def test_wrong_settings_and_missing_reasons_change_nothing(desk: Desk, house: House, wrong: dict[str, str]) -> None:
    path = f"{ROOT}/merchants/{house.world.merchant_id}/settings"
    before = house.picture(without=("core_auditentry",))

    answer = desk.post(path, {**settings_of(house), "staff_pin_policy": "required", "reason": WHY, **wrong})

    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert house.picture(without=("core_auditentry",)) == before
    assert audit("merchant_settings_changed") == []


def test_every_setting_is_explained(desk: Desk, house: House) -> None:
    page = desk.get(f"{ROOT}/merchants/{house.world.merchant_id}/settings")
    form = page.context["form"]

    shown = {field.name for _title, fields in form.groups() for field in fields}
    assert shown == set(form.fields)
    assert all(field.help_text for field in form.fields.values())


def test_a_page_begins_after_the_last_one_shown() -> None:
    worlds = [World.make() for _number in range(3)]
    at = timezone.now()

    with tenancy.platform(reason="test"):
        page = platform_lists.programs(search="", status="", kind="", after=str(worlds[1].program.pk), at=at)

    assert [line.row.pk for line in page.lines] == [worlds[0].program.pk]


def test_says_in_words_what_was_done(desk: Desk, house: House) -> None:
    merchant_id = house.world.merchant_id
    desk.post(f"{ROOT}/merchants/{merchant_id}/settings", {**settings_of(house), "max_stores": "7", "reason": WHY})

    page = desk.get(f"{ROOT}/merchants/{merchant_id}").content.decode()

    assert "What the platform allows changed" in page
    assert "merchant_settings_changed" in page, "the code is what one searches for"
    assert audited.words("something_new") == "something_new"


def test_the_audit_list_speaks_in_words_and_names(desk: Desk, house: House) -> None:
    merchant_id = house.world.merchant_id
    desk.post(f"{ROOT}/merchants/{merchant_id}/settings", {**settings_of(house), "max_stores": "7", "reason": WHY})
    with tenancy.platform(reason="test"):
        AuditEntry.objects.create(action="something_new", target="card 1")

    page = desk.get("/admin/core/auditentry/").content.decode()

    assert "What the platform allows changed" in page
    assert "merchant_settings_changed" in page, "the code is what one searches for"
    assert f'href="{ROOT}/merchants/{merchant_id}">Merchant-ours</a>' in page
    assert desk.user.get_full_name() in page.split("result_list")[1]
    assert "something_new" in page


def test_the_audit_list_costs_the_same_whatever_there_is(desk: Desk, house: House) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get("/admin/core/auditentry/").status_code == 200
        return len(asked)

    cost()
    before = cost()
    with tenancy.platform(reason="test"):
        for number in range(5):
            AuditEntry.objects.create(action="export", merchant_id=house.world.merchant_id, target=f"card {number}")

    assert cost() == before


def test_every_action_of_the_product_has_words() -> None:
    literal = re.compile(r'action="([a-z_]+)"|_note\(\w+(?:\.\w+)?, "([a-z]+_[a-z_]+)"')
    used = set()
    for app in ("core", "merchants", "stores", "customers", "loyalty", "wallets", "dashboard"):
        for file in (django_settings.BASE_DIR / app).rglob("*.py"):
            if "management" not in file.parts:
                used |= {one or other for one, other in literal.findall(file.read_text(encoding="utf-8"))}

    assert used - set(audited.WORDS) == set()
    assert "customer_erased" in used
