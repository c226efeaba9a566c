"""A sheet made of parts reaches the browser as one file, wherever it comes from."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

STATIC = Path(__file__).resolve().parents[2] / "static"
SHEETS = [path for path in STATIC.rglob("*.css") if "vendor" not in path.parts and "@import" in path.read_text()]
PARTS = sorted(path for path in STATIC.rglob("*.css") if "css" in path.relative_to(STATIC).parts[:-1])
MOST_LINES = 400


def bare(text: str) -> str:
    """Return the rules without comments and spaces."""
    return re.sub(r"/\*.*?\*/|\s+", "", text, flags=re.DOTALL)


def imports(sheet: Path) -> list[Path]:
    """Return the parts of a sheet."""
    return [sheet.parent / name for name in re.findall(r'@import url\("([^"]+)"\);', sheet.read_text())]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_is_found_with_all_its_parts_in_their_order(sheet: Path) -> None:
    found = finders.find(sheet.relative_to(STATIC).as_posix())

    assert isinstance(found, str)
    text = Path(found).read_text()
    assert "@import" not in text
    assert bare(text) == "".join(bare(part.read_text()) for part in imports(sheet))


def test_every_part_belongs_to_one_sheet_and_names_no_file_of_its_own() -> None:
    """A part moves to another folder when it is joined: an address in it would lead elsewhere."""
    assert len(SHEETS) >= 2
    assert len(PARTS) > 20
    assert sorted(part for sheet in SHEETS for part in imports(sheet)) == PARTS
    assert [part.name for part in PARTS if "url(" in part.read_text()] == []


def test_parts_stay_short() -> None:
    lengths = {path.name: path.read_text().count("\n") for path in [*PARTS, *(STATIC / "core").glob("*.css")]}

    assert {name: lines for name, lines in lengths.items() if lines >= MOST_LINES} == {}


def test_collects_sheets_and_leaves_their_parts(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_FINDERS = ["loyalty_platform.static.SheetFinder"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "loyalty_platform.static.StaticStorage"}}

    call_command("collectstatic", interactive=False, verbosity=0)

    assert "@import" not in (tmp_path / "static/core/base.css").read_text()
    assert not (tmp_path / "static/core/css").exists()
    assert len(list((tmp_path / "static/core").glob("base.*.css"))) == 1
