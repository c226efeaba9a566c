"""The product's source as the architecture tests read it: files, modules, imports, functions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# From the top down: each app may import only those below it.
APPS = ("loyalty_platform", "dashboard", "wallets", "loyalty", "customers", "stores", "merchants", "core")
# Inside an app, from the top down. What stands on one line may import each other.
LAYERS = (
    ("urls",),
    ("api", "admin", "views", "management", "templatetags"),
    ("tasks", "forms"),
    ("services",),
    ("queries", "providers"),
    ("models",),
    ("permissions", "enums", "rules"),
)
LEVEL = {name: len(LAYERS) - at for at, names in enumerate(LAYERS) for name in names}


@dataclass(frozen=True)
class Module:
    """A Python file of the product."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def app(self) -> str:
        """The app it belongs to."""
        return self.name.split(".")[0]

    @property
    def layer(self) -> str:
        """The layer inside the app; "" for what belongs to none (apps.py, an adapter, core's own modules)."""
        return layer_of(self.name)

    @property
    def is_package(self) -> bool:
        """Whether this is an `__init__.py`."""
        return self.path.name == "__init__.py"


@dataclass(frozen=True)
class Import:
    """One imported name: `target` is the module, `name` what is taken from it ("" for the module itself)."""

    target: str
    name: str
    line: int


@dataclass(frozen=True)
class Function:
    """A function or method, with its dotted name."""

    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def lines(self) -> int:
        """How long it is, without decorators."""
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def is_public(self) -> bool:
        """Whether no part of its name begins with an underscore."""
        return not any(part.startswith("_") for part in self.name.split("."))


def parse(name: str, text: str) -> Module:
    """Make a module of a text, for tests that show that a check finds what it forbids."""
    return Module(name, ROOT / "nowhere.py", text, ast.parse(text))


@lru_cache(maxsize=1)
def modules() -> tuple[Module, ...]:
    """Return every module of the product, without migrations."""
    paths = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    return tuple(_module(path) for path in paths if "migrations" not in path.parts)


def layer_of(name: str) -> str:
    """Return the layer of a dotted module name."""
    parts = name.split(".")
    if len(parts) < 2:
        return ""
    if parts[-1].endswith("urls"):
        return "urls"
    return parts[1] if parts[1] in LEVEL else ""


def imports(module: Module) -> Iterator[Import]:
    """Yield what a module imports, wherever in it; relative imports are refused by the linter."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, "", node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if is_module(inner):
                    yield Import(inner, "", node.lineno)
                else:
                    yield Import(node.module, alias.name, node.lineno)


def is_module(name: str) -> bool:
    """Tell whether a dotted name is a module or package of the product."""
    parts = name.split(".")
    path = ROOT.joinpath(*parts)
    return parts[0] in APPS and (path.is_dir() or path.with_suffix(".py").is_file())


def functions(module: Module) -> Iterator[Function]:
    """Yield every function and method, nested ones too."""
    yield from _functions(module.tree, "")


def python_files() -> list[Path]:
    """Return every Python file of the repository: product, migrations and tests."""
    folders = [ROOT / folder for folder in (*APPS, "tests")]
    return [ROOT / "manage.py", *(path for folder in folders for path in sorted(folder.rglob("*.py")))]


def shown(path: Path) -> str:
    """Return a path as people write it."""
    return path.relative_to(ROOT).as_posix()


def _functions(node: ast.AST, prefix: str) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(f"{prefix}{child.name}", child)
            yield from _functions(child, f"{prefix}{child.name}.<locals>.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


def _module(path: Path) -> Module:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text(encoding="utf-8")
    return Module(name, path, text, ast.parse(text))
