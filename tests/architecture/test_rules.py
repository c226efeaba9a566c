"""Every rule of the trade has its acceptance tests: a file per number in tests/rules, and no file for no rule."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

FOLDER = ROOT / "tests" / "rules"
# 7 (interim milestones) comes later.
RULES = (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26)
NAME = re.compile(r"test_rule_(?P<number>[0-9]{2})_[a-z0-9_]+\.py")


def files() -> dict[Path, int | None]:
    """Return the test files of the folder with the number each bears, None for one that bears none."""
    found = {path: NAME.fullmatch(path.name) for path in sorted(FOLDER.glob("test_*.py"))}
    return {path: int(match["number"]) if match else None for path, match in found.items()}


def written_in(path: Path) -> list[str]:
    """Return the names of the tests of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_no_file_bears_a_number_that_is_no_rule() -> None:
    assert {path.name: number for path, number in files().items() if number not in RULES} == {}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_one_file_with_at_least_two_tests(rule: int) -> None:
    own = [path for path, number in files().items() if number == rule]

    assert len(own) == 1, f"rule {rule} has {len(own)} files in tests/rules"
    assert len(written_in(own[0])) >= 2


def test_each_file_says_its_rule_in_one_line() -> None:
    for path, number in files().items():
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert words.startswith(f"Rule {number}: "), path.name
        assert "\n" not in words.strip(), path.name


def test_no_rule_is_skipped_or_expected_to_fail() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in files()}

    assert [
        name for name, text in texts.items() if re.search(r"xfail|mark\.skip|pytest\.skip|importorskip", text)
    ] == []
