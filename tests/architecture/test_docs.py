"""The papers are true to the house: links lead somewhere, tests that are named exist, decisions stay short."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, shown

PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[\w-]*)?\)")
NAMED = re.compile(r"`((?:tests|core|merchants|stores|customers|loyalty|dashboard|loyalty_platform)/[\w/.-]+)`")
# Papers on pages name their files from the folders of pages.
BASES = (ROOT, ROOT / "static", ROOT / "templates")
MOST_LINES_OF_A_DECISION = 25


@pytest.mark.parametrize("paper", PAPERS, ids=shown)
def test_links_and_named_files_exist(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    linked = [paper.parent / target for target in LINK.findall(text)]
    missing = [name for name in NAMED.findall(text) if not any((base / name).exists() for base in BASES)]

    assert [shown(path.resolve()) for path in linked if not path.exists()] + missing == []


def test_decisions_are_short_and_listed() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")

    assert len(decisions) >= 6
    assert [path.name for path in decisions if path.name not in listed] == []
    lengths = {path.name: path.read_text(encoding="utf-8").count("\n") for path in decisions}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_DECISION} == {}


def test_every_paper_is_on_the_map() -> None:
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    papers = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]

    assert [name for name in papers if name not in text] == []


def test_every_promise_has_a_line() -> None:
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")

    assert [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(range(1, 22))
