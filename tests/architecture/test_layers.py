"""The order of the rooms, in what import-linter cannot say.

`make lint` runs import-linter on .importlinter: order of the apps, order inside each app, services without HTTP and
Celery, pure rules. Here: that its contracts leave nothing out; that the order inside holds between apps, too; that
nobody reaches for another module's private names; that no room goes by a name which says nothing.
"""

import ast
import configparser
from collections.abc import Iterator

import pytest

from tests.architecture import source
from tests.architecture.source import APPS, LEVEL, ROOT, Module, modules, parse

SAYS_NOTHING = ("utils.py", "helpers.py", "managers.py", "signals.py", "common.py", "misc.py")
# What the interface offers to people; a service is called by it and never the other way round.
EDGES = {"celery", "rest_framework", "drf_spectacular", "django.shortcuts", "django.template.response"}
# Who reads the clock or the settings all the same, and why.
CLOCK_READ_BY = {
    "loyalty.services.operations": "recorded_at is when the row was written; `at` is when it happened",
    "loyalty.services.joining": "recorded_at, as in operations",
    "loyalty.services.revivals": "recorded_at, as in operations",
}
SETTINGS_READ_BY = {"stores.rules.tokens": "the hash of a pairing code is keyed"}


def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return parser


def listed(value: str) -> set[str]:
    return set(value.replace("(", " ").replace(")", " ").replace(":", " ").split())


def test_contracts_name_every_app() -> None:
    found = contracts()

    assert listed(found["importlinter"]["root_packages"]) == set(APPS)
    assert [line for line in found["importlinter:contract:apps"]["layers"].split() if line] == list(APPS)
    assert listed(found["importlinter:contract:inside"]["containers"]) == set(APPS) - {"loyalty_platform"}


def test_contracts_name_every_layer() -> None:
    layers = listed(contracts()["importlinter:contract:inside"]["layers"])

    assert layers == set(LEVEL)


@pytest.mark.parametrize(("contract", "layer"), [("services", "services"), ("rules", "rules")])
def test_contracts_name_every_room_of_a_kind(contract: str, layer: str) -> None:
    rooms = {module.name for module in modules() if module.name.endswith(f".{layer}") and module.is_package}

    assert listed(contracts()[f"importlinter:contract:{contract}"]["source_modules"]) == rooms


def test_every_module_below_an_app_has_a_known_place() -> None:
    """A new folder that is no layer escapes the contracts: name it in LAYERS and .importlinter, or put it elsewhere."""
    free = {module.name.split(".")[1] for module in modules() if module.app not in ("core", "loyalty_platform")
            and "." in module.name and not module.layer and module.path.parent != ROOT / module.app}  # fmt: skip

    assert free == set()


def upward(module: Module) -> Iterator[str]:
    """Yield imports from a lower app's layer that stands above the importer's own."""
    if module.layer == "" or module.app == "core":
        return
    for found in source.imports(module):
        layer = source.layer_of(found.target)
        if found.target.split(".")[0] in APPS and layer and LEVEL[layer] > LEVEL[module.layer]:
            yield f"{module.name}:{found.line} imports {found.target}"


def test_order_inside_holds_between_apps_too() -> None:
    """Reads of loyalty may not call services of stores, services of loyalty no forms of merchants."""
    assert [fault for module in modules() for fault in upward(module)] == []


def test_order_check_finds_what_it_forbids() -> None:
    assert list(upward(parse("loyalty.queries.cards", "from stores.services import pins")))
    assert list(upward(parse("loyalty.rules.stamps", "from loyalty.models import Card")))
    assert not list(upward(parse("loyalty.services.cards", "from stores.services import pins")))


def test_services_and_reads_know_neither_tasks_nor_pages() -> None:
    faults = [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules()
        if module.layer in ("services", "queries", "models", "rules")
        for found in source.imports(module)
        if any(found.target == edge or found.target.startswith(f"{edge}.") for edge in EDGES)
        or source.layer_of(found.target) == "tasks"
    ]
    assert faults == []


def private(module: Module) -> Iterator[str]:
    """Yield private names of other modules that a module imports, or reaches for through the module."""
    aliases = {}
    for found in source.imports(module):
        if found.target.split(".")[0] not in APPS or found.target == module.name:
            continue
        parts = [*found.target.split("."), found.name]
        if any(part.startswith("_") for part in parts):
            yield f"{module.name}:{found.line} imports {'.'.join(parts)}"
        if not found.name:
            aliases[found.target.split(".")[-1]] = found.target
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.attr.startswith("_") and node.value.id in aliases:
            yield f"{module.name}:{node.lineno} reads {aliases[node.value.id]}.{node.attr}"


def test_nobody_reaches_for_private_names_of_another_module() -> None:
    assert [fault for module in modules() for fault in private(module)] == []


def test_private_check_finds_what_it_forbids() -> None:
    assert list(private(parse("dashboard.views.home", "from loyalty.api.cards import _face")))
    assert list(private(parse("dashboard.views.home", "from loyalty.api import cards\ncards._face()")))


def test_rules_and_services_do_not_read_the_clock() -> None:
    """`at` is passed in: what a rule decides does not depend on when the test runs."""
    clocks = {("timezone", "now"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
    faults = {
        module.name
        for module in modules()
        if module.layer in ("services", "rules")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in clocks
    }
    assert faults == set(CLOCK_READ_BY)


def test_rules_are_pure() -> None:
    """No database, no request, no settings: translations are all that rules take from Django."""
    faults = {
        module.name
        for module in modules()
        if module.layer == "rules"
        for found in source.imports(module)
        if found.target.startswith("django.")
        and not found.target.startswith(("django.utils", "django.db.models.enums"))
    }
    assert faults == set(SETTINGS_READ_BY)


def test_no_signals_of_our_own() -> None:
    faults = [
        f"{module.name}:{found.line}"
        for module in modules()
        for found in source.imports(module)
        if found.target in ("django.dispatch", "django.db.models.signals")
        or found.target.startswith("django.dispatch.")
    ]
    assert faults == []


def test_no_file_goes_by_a_name_that_says_nothing() -> None:
    assert [module.name for module in modules() if module.path.name in SAYS_NOTHING] == []


@pytest.mark.parametrize("app", APPS)
def test_app_says_what_it_owns_publishes_and_hears(app: str) -> None:
    text = ast.get_docstring(next(module for module in modules() if module.name == app).tree) or ""

    assert all(word in text for word in ("Owns:", "Publishes:", "Hears:"))
    assert text.count("\n") < 12
