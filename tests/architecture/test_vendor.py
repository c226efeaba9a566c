"""Third-party files of the front end are exactly those of the lock."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
# What browsers get, and what only tests use.
FOLDERS = [VENDOR, ROOT / "tests" / "browser" / "vendor"]


@pytest.fixture
def fetch() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vendor_fetch", VENDOR / "fetch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("folder", FOLDERS)
def test_matches_lock(fetch: ModuleType, folder: Path) -> None:
    assert fetch.check(folder) == []


def test_reports_changed_missing_and_unknown_files(fetch: ModuleType, tmp_path: Path) -> None:
    lock = json.loads((VENDOR / "vendor.lock.json").read_text(encoding="utf-8"))
    (tmp_path / "vendor.lock.json").write_text(json.dumps(lock), encoding="utf-8")
    names = sorted(target for package in lock["packages"] for target in package["files"])
    for name in names[1:]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((VENDOR / name).read_bytes())
    (tmp_path / names[1]).write_bytes(b"something else")
    (tmp_path / "stray").mkdir()
    (tmp_path / "stray" / "file.js").write_text("alert(1)", encoding="utf-8")

    faults = set(fetch.check(tmp_path))

    assert faults == {f"{names[0]}: missing", f"{names[1]}: changed", "stray/file.js: not in the lock"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_version_hash_and_licence_of_each_package(folder: Path) -> None:
    lock = json.loads((folder / "vendor.lock.json").read_text(encoding="utf-8"))

    for package in lock["packages"]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), package["name"]
        assert re.fullmatch(r"[0-9a-f]{64}", package["sha256"]), package["name"]
        assert package["licence"]
        assert any(name.endswith("/LICENSE") for name in package["files"]), package["name"]


def test_refers_to_no_outside_host() -> None:
    outside = re.compile(r"""(?:url\(|src=|@import)\s*["']?(?:https?:)?//""")

    hits = [
        path.name
        for path in VENDOR.rglob("*")
        if path.suffix in {".css", ".js"} and outside.search(path.read_text(encoding="utf-8"))
    ]

    assert hits == []
