"""Tables point down the house and never up, and a migration's name says what it does."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

from tests.architecture.source import APPS

OWN = [app for app in APPS if app != "loyalty_platform"]
LEVEL = {app: len(APPS) - at for at, app in enumerate(APPS)}
RELATIONS = [
    (model, field)
    for app in OWN
    for model in apps.get_app_config(app).get_models()
    for field in model._meta.get_fields()
    if isinstance(field, (models.ForeignKey, models.ManyToManyField)) and field.model is model
]
# Django writes these names when nobody thinks of one.
MADE_UP = re.compile(r"_auto_\d|_and_more$|_squashed_|^\d{4}_(?:alter|remove|rename|add)_field_|^\d{4}_[a-z]{1,3}$")
NAME = re.compile(r"^\d{4}_[a-z0-9]+(?:_[a-z0-9]+)*$")


def app_of(model: Any) -> str:
    return str(model._meta.app_label)


@pytest.mark.parametrize(
    ("model", "field"), RELATIONS, ids=lambda part: part._meta.label_lower if hasattr(part, "_meta") else part.name
)
def test_key_points_down(model: Any, field: Any) -> None:
    target = app_of(field.remote_field.model)
    if target not in LEVEL:
        assert target in ("auth", "contenttypes"), f"{model} points at {target}"
        return

    assert LEVEL[target] <= LEVEL[app_of(model)]
    if target != app_of(model):
        assert field.remote_field.hidden, "a lower app must not learn of a higher one: related_name='+'"


def test_there_are_keys_between_apps_to_look_at() -> None:
    assert sum(app_of(field.remote_field.model) != app_of(model) for model, field in RELATIONS) > 10


def own_migrations() -> list[str]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return sorted(f"{app}.{name}" for app, name in loader.disk_migrations if app in OWN)


def test_migrations_have_names_that_say_something() -> None:
    names = [name.split(".")[1] for name in own_migrations()]

    assert len(names) > 10
    assert [name for name in names if MADE_UP.search(name) or not NAME.match(name)] == []


def test_name_check_finds_what_it_forbids() -> None:
    bad = ["0004_auto_20260310_1200", "0005_alter_field_x", "0006_card_status_and_more", "0007_fix"]

    assert all(MADE_UP.search(name) for name in bad)
    assert not MADE_UP.search("0004_ledger_is_append_only")


def test_migrations_stand_in_one_line() -> None:
    """Each has one successor at most within its app: two people's numbers never meet by accident."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for app in OWN:
        if app in loader.migrated_apps:
            assert len(loader.graph.leaf_nodes(app)) == 1, app
    parents = [
        (key, parent)
        for key, migration in loader.disk_migrations.items()
        if key[0] in OWN
        for parent in migration.dependencies
        if parent[0] == key[0]
    ]
    assert len({parent for _, parent in parents}) == len(parents)


def test_migrations_of_a_lower_app_never_wait_for_a_higher_one() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    faults = [
        f"{key} waits for {parent}"
        for key, migration in loader.disk_migrations.items()
        if key[0] in OWN
        for parent in migration.dependencies
        if parent[0] in LEVEL and LEVEL[parent[0]] > LEVEL[key[0]]
    ]
    assert faults == []
