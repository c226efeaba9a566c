"""What all pages of the admin share: the panel, bounded work, actions that ask why, a log without names."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import models
from django.utils import timezone

from core import tenancy
from core.admin import PlatformAdmin, ReadOnlyAdmin, Revealing, health
from core.ids import uuid7
from core.models import AuditEntry, IdempotencyRecord, OutboxEvent
from merchants.enums import MerchantStatus
from merchants.models import Merchant
from tests.factories.merchants import MerchantFactory
from tests.support.desk import WHY, Desk, address, audit
from tests.support.world import World

pytestmark = pytest.mark.django_db
OURS = ("core", "merchants", "stores", "customers", "loyalty", "dashboard", "wallets")
OUR_ADMINS = [page for model, page in admin.site._registry.items() if model._meta.app_label in OURS]


@pytest.fixture
def desk() -> Desk:
    return Desk.open()


def event(**values: Any) -> OutboxEvent:
    with tenancy.platform(reason="test"):
        return OutboxEvent.objects.create(
            **{"merchant_id": uuid7(), "topic": "card.changed", "created_at": timezone.now(), **values}
        )


def lines(desk: Desk) -> dict[str, health.Line]:
    return {line.label: line for line in desk.get("/admin/").context["health"]}


def test_it_works_on_a_healthy_platform(desk: Desk) -> None:
    found = lines(desk)

    assert found["Ledger verified"].value == "never"
    bad = {label for label, line in found.items() if line.tone != "ok"}
    assert bad == {"Ledger verified"}
    assert next(iter(found)) == "Ledger verified"
    assert "1 thing needs a look" in desk.get("/admin/").content.decode()


def test_the_panel_tells_what_is_wrong(desk: Desk) -> None:
    MerchantFactory(status=MerchantStatus.LATE)
    MerchantFactory(status=MerchantStatus.SUSPENDED, allowed={"messages_suspended": True})
    event(state="failed")
    event(created_at=timezone.now() - timedelta(minutes=10))
    with tenancy.platform(reason="test"):
        AuditEntry.objects.create(action="ledger_verified", facts={"differences": 3})

    found = lines(desk)

    assert {label: line.tone for label, line in found.items() if line.tone != "ok"} == {
        "Ledger verified": "bad", "Events that failed": "bad", "Events waiting": "warn",
        "Merchants late with the bill": "warn", "Merchants suspended": "warn", "Messages stopped": "warn",
    }  # fmt: skip
    tones = [line.tone for line in found.values()]
    assert tones == sorted(tones, key=["bad", "warn", "ok"].index), "the worst stands first"
    assert "6 things need a look" in desk.get("/admin/").content.decode()
    assert "differences: 3" in found["Ledger verified"].value
    for line in found.values():
        if line.url:
            assert desk.get(line.url).status_code == 200, line.label


def test_the_panel_costs_the_same_whatever_there_is(desk: Desk, django_assert_num_queries: Any) -> None:
    for _number in range(3):
        MerchantFactory(status=MerchantStatus.LATE)
        event(state="failed")
        event()

    with tenancy.platform(reason="test"), django_assert_num_queries(11) as asked:
        health.panel(timezone.now())

    counts = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"]]
    assert len(counts) == 10
    assert all("LIMIT" in sql for sql in counts)


def test_every_page_of_ours_is_bounded(desk: Desk) -> None:
    """No exact counts, no facets, no giant selects, no delete_selected, nobody's name in the log."""
    for page in OUR_ADMINS:
        assert isinstance(page, PlatformAdmin), page
        assert page.show_full_result_count is False
        assert page.show_facets is admin.ShowFacets.NEVER
        for entry in page.list_filter:
            if not isinstance(entry, str):
                continue
            field = page.model._meta.get_field(entry)
            assert not field.is_relation, f"{page}: {entry} would be a select of all of them"
            known = field.choices or isinstance(field, models.BooleanField)
            assert known or page.model._meta.app_label in ("merchants", "stores"), f"{page}: {entry} reads the table"
        for field in page.model._meta.fields:
            chosen = field.is_relation and field.editable and field.name not in page.readonly_fields
            changeable = not isinstance(page, ReadOnlyAdmin) and field.name in (page.fields or (field.name,))
            assert not (chosen and changeable), f"{page}: {field.name} would be a select of all of them"


def test_lists_are_filtered_by_a_row_that_is_searched_for(desk: Desk) -> None:
    world, other = World.make(), World.make()
    cards = [world.card(), other.card()]
    model = type(cards[0])

    mine = desk.browse(model, merchant__id__exact=str(world.merchant_id))
    offered = desk.get(
        "/admin/autocomplete/",
        {"app_label": "loyalty", "model_name": "card", "field_name": "merchant", "term": "coffee"},
    )

    assert [row.pk for row in mine.context["cl"].result_list] == [cards[0].pk]
    assert {row["id"] for row in offered.json()["results"]} >= {str(world.merchant_id), str(other.merchant_id)}
    assert desk.browse(model, merchant__id__exact=str(uuid7())).context["cl"].result_count == 0
    assert desk.browse(model, merchant__id__exact="nonsense").status_code == 302
    assert '<option value="' + str(other.merchant_id) not in mine.content.decode()


def test_actions_ask_why_before_anything_happens(desk: Desk) -> None:
    failed = event(state="failed", attempts=10)

    asked = desk.ask("requeue", failed)

    assert asked.status_code == 200
    assert "Queue again" in asked.content.decode()
    for reason in ("", "  ", "x" * 301, "write to a@b.example", "\x00\x00"):
        assert desk.act("requeue", failed, reason=reason).status_code == 200
    with tenancy.platform(reason="test"):
        assert OutboxEvent.objects.get(pk=failed.pk).state == "failed"
    assert audit("event_requeued") == []


def test_queues_failed_events_again_and_only_those(desk: Desk) -> None:
    failed, sent = event(state="failed", attempts=10, retry_at=timezone.now()), event(state="sent", attempts=1)

    answer = desk.act("requeue", failed, sent)

    assert answer.status_code == 302
    with tenancy.platform(reason="test"):
        fresh, other = OutboxEvent.objects.get(pk=failed.pk), OutboxEvent.objects.get(pk=sent.pk)
    assert (fresh.state, fresh.attempts, fresh.retry_at) == ("queued", 0, None)
    assert (other.state, other.attempts) == ("sent", 1)
    [entry] = audit("event_requeued")
    assert (entry.actor_id, entry.reason, entry.target) == (desk.user.pk, WHY, f"event {failed.pk}")


def test_actions_run_on_a_bounded_number_of_rows(desk: Desk) -> None:
    with tenancy.platform(reason="test"):
        OutboxEvent.objects.bulk_create(
            OutboxEvent(merchant_id=uuid7(), topic="t", state="failed", created_at=timezone.now()) for _ in range(101)
        )
        first = OutboxEvent.objects.first()
    assert first is not None

    answer = desk.act("requeue", first, select_across="1")

    assert answer.status_code == 302
    with tenancy.platform(reason="test"):
        assert OutboxEvent.objects.filter(state="queued").count() == 0


@pytest.mark.parametrize("chosen", ["nonsense", "\x00", "999999999999999999999999", "-1"])
def test_rows_that_are_none_change_nothing(desk: Desk, chosen: str) -> None:
    failed = event(state="failed")

    answer = desk.post(
        address(OutboxEvent, "changelist"),
        {"action": "requeue", "_selected_action": chosen, "confirmed": "1", "reason": WHY},
    )

    assert answer.status_code == 302
    with tenancy.platform(reason="test"):
        assert OutboxEvent.objects.get(pk=failed.pk).state == "failed"


def test_actions_are_for_those_who_may_change_the_model() -> None:
    from django.contrib.auth.models import Permission

    viewer = Desk.open(superuser=False)
    viewer.user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    failed = event(state="failed")

    assert viewer.browse(OutboxEvent).status_code == 200
    viewer.act("requeue", failed)

    with tenancy.platform(reason="test"):
        assert OutboxEvent.objects.get(pk=failed.pk).state == "failed"
    assert audit("event_requeued") == []


def test_answers_under_a_key_are_not_shown(desk: Desk) -> None:
    with tenancy.platform(reason="test"):
        row = IdempotencyRecord.objects.create(
            merchant_id=uuid7(), key="k", operation="enroll", fingerprint="f" * 64, status=201,
            body='{"email": "canary@example.com"}', created_at=timezone.now(),
        )  # fmt: skip

    page = desk.row(row)

    assert page.status_code == 200
    assert "canary" not in page.content.decode()


def test_the_admins_own_log_names_nobody(desk: Desk) -> None:
    merchant = MerchantFactory(name="Canary")
    page = desk.row(merchant)
    data = {name: page.context["adminform"].form[name].value() for name in page.context["adminform"].form.fields}
    formset = page.context["inline_admin_formsets"][0].formset
    for form in (formset.management_form, *formset.forms):
        data |= {form.add_prefix(name): form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value not in (None, False)}

    answer = desk.post(address(Merchant, "change", merchant.pk), {**data, "name": "Canary Two", "status": "closed"})

    assert answer.status_code == 302, answer.context["errors"]
    [entry] = LogEntry.objects.all()
    assert entry.object_repr == f"merchant {merchant.pk}"
    assert "Canary" not in entry.change_message
    assert entry.get_change_message() == "Changed Name."
    with tenancy.scope(merchant):
        fresh = Merchant.objects.get()
    assert (fresh.name, fresh.status) == ("Canary Two", "trial")


def test_all_pages_with_hidden_columns_say_so() -> None:
    """Columns that hold what a customer said or is called are on no page but that of `reveal`."""
    personal = {
        "name", "email", "pending_email", "phone", "name_key", "email_key", "phone_key", "address", "ip", "user_agent",
        "note", "birth_day", "birth_month", "birth_year", "status_reason",
    }  # fmt: skip
    of_customers = ("customers", "loyalty")
    public = {("Program", "name"), ("Reward", "name"), ("IssuedReward", "name")}
    faults = []
    for model, page in admin.site._registry.items():
        if model._meta.app_label not in of_customers:
            continue
        hidden = set(page.exclude or ())
        shown = set(page.fields or {field.name for field in model._meta.fields} - hidden) | set(page.list_display)
        faults += [(model.__name__, name) for name in shown & personal if (model.__name__, str(name)) not in public]
    assert faults == []
    assert sum(isinstance(page, Revealing) for page in OUR_ADMINS) >= 6
    assert {app.label for app in apps.get_app_configs() if app.label in OURS} == set(OURS)
