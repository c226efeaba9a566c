"""Nothing grows until nobody reads it; every service says what it does; every exception from a rule says why."""

import ast
import re
from pathlib import Path

from tests.architecture import source
from tests.architecture.source import ROOT, modules, python_files, shown

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 500, 60
SCRIPTS = sorted(path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts)
# The rule's name, a dash, then why.
REASONED = re.compile(r"# noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)* - \S+")
NAMED = re.compile(r"# type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\]")
WRITE_NOTHING = {"stores.services.pin_hashing"}
RULE = re.compile(r'^"[A-Z]+[0-9]*",\s*#\s*\w+')


def test_no_file_is_too_long() -> None:
    written = [path for path in python_files() + SCRIPTS if "migrations" not in path.parts]  # Django writes those
    lengths = {shown(path): path.read_text(encoding="utf-8").count("\n") for path in written}

    assert len(lengths) > 300
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_too_long() -> None:
    faults = [
        f"{module.name}.{function.name}: {function.lines} lines"
        for module in modules()
        for function in source.functions(module)
        if function.lines > MOST_LINES_OF_A_FUNCTION
    ]
    assert faults == []


def test_functions_are_measured_with_their_methods_and_inner_ones() -> None:
    module = source.parse(
        "core.x", "class A:\n    def one(self):\n        def two():\n            pass\n        return two\n"
    )

    found = {function.name: function.lines for function in source.functions(module)}

    assert found == {"A.one": 4, "A.one.<locals>.two": 2}


def test_every_module_has_a_line_at_its_head() -> None:
    empty = [module.name for module in modules() if module.text.strip() and not ast.get_docstring(module.tree)]

    assert empty == []


def test_every_public_service_says_what_it_does() -> None:
    silent = [
        f"{module.name}.{function.name}"
        for module in modules()
        if module.layer == "services"
        for function in source.functions(module)
        if function.is_public and not ast.get_docstring(function.node)
    ]
    assert silent == []


def test_public_writers_are_called_by_name() -> None:
    """A public service names its merchant first and takes everything by keyword, so no two ids can be swapped."""
    faults = []
    for module in modules():
        if module.layer != "services" or module.name in WRITE_NOTHING:
            continue
        for function in source.functions(module):
            names = [argument.arg for argument in function.node.args.args]
            if function.is_public and "merchant_id" in names:
                faults.append(f"{module.name}.{function.name} takes merchant_id by position")
    assert faults == []


def comments(path: Path, mark: str) -> list[tuple[int, str]]:
    """Return the lines that carry an exception, but for those that write of it in a text of their own."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(number, line) for number, line in enumerate(lines, 1) if mark in line and path != Path(__file__)]


def test_every_exception_from_the_linter_has_a_reason() -> None:
    bare = [
        f"{shown(path)}:{number}"
        for path in python_files()
        for number, line in comments(path, "# noqa")
        if not REASONED.search(line)
    ]
    assert bare == []


def test_every_exception_from_the_type_checker_names_its_rule() -> None:
    bare = [
        f"{shown(path)}:{number}"
        for path in python_files()
        for number, line in comments(path, "# type: ignore")
        if not NAMED.search(line)
    ]
    assert bare == []


def test_reason_check_finds_what_it_forbids() -> None:
    assert REASONED.search("x = 1  # noqa: S608 - the name is checked above")
    assert not any(map(REASONED.search, ["# noqa", "# noqa: S608", "# noqa: S608 -", "# noqa:S608 because"]))
    assert not NAMED.search("# type: ignore")


def test_every_rule_that_is_switched_off_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ruff = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pylint]")]
    off = [line.strip() for line in ruff.splitlines() if re.match(r'^\s+"[A-Z]+[0-9]*",', line) and '", "' not in line]

    assert len(off) > 20
    assert [line for line in off if not RULE.match(line)] == []
