"""Who sees every merchant at once is listed in one place, with the reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

from core.tenancy.platform_callers import CALLERS

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("core", "merchants", "stores", "customers", "loyalty", "wallets", "dashboard", "loyalty_platform")


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def _uses_platform(tree: ast.Module) -> bool:
    """Tell whether a module reaches for platform() by any road: an attribute, an import, under another name."""
    for node in ast.walk(tree):
        imported = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core.tenancy")
        if imported and any(alias.name in ("platform", "PLATFORM_ROLE") for alias in node.names):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "platform" and _names_tenancy(node.value):
            return True
    return False


def _names_tenancy(node: ast.expr) -> bool:
    last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return last in ("tenancy", "scope")


def test_the_scan_sees_every_road_to_platform() -> None:
    roads = (
        "from core import tenancy\nwith tenancy.platform(reason='x'): pass",
        "from core.tenancy import platform",
        "from core.tenancy.scope import platform as everything",
        "import core\ncore.tenancy.platform",
        "from core.tenancy import scope\nscope.platform",
    )
    assert all(_uses_platform(ast.parse(road)) for road in roads)
    assert not _uses_platform(ast.parse("import sys\nsys.platform\nfrom core import tenancy\ntenancy.scope(x)"))


def test_platform_has_no_caller_that_is_not_listed() -> None:
    house = {"core.tenancy", "core.tenancy.scope"}
    found = {name for name, tree in _modules() if _uses_platform(tree)} - house

    assert found == set(CALLERS)


def test_every_caller_says_why() -> None:
    assert all(len(reason) > 20 for reason in CALLERS.values())


def test_the_role_is_taken_nowhere_else() -> None:
    """`SET ROLE loyalty_platform` by hand would be a way around the list."""
    allowed = {"core.tenancy.scope", "core.tenancy.operations"}
    found = {
        name
        for name, tree in _modules()
        if "migrations" not in name and any(
            isinstance(node, ast.Constant) and isinstance(node.value, str) and "loyalty_platform" in node.value
            and "role" in node.value.lower()
            for node in ast.walk(tree)
        )
    }  # fmt: skip
    assert found <= allowed
