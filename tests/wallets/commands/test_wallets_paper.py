"""docs/wallets.md says of every fault that wallet_doctor can name what it means, and names every setting and figure."""

import re

import pytest

from tests.architecture.source import ROOT
from wallets.services import examinations

PAPER = (ROOT / "docs" / "wallets.md").read_text(encoding="utf-8")
CODE = re.compile(r'code="(\w+)"|Problem\(\s*"(\w+)"')
SOURCES = [
    ROOT / "wallets" / path
    for path in (
        "providers/findings.py", "providers/apple/checks.py", "providers/apple/inspection.py",
        "providers/apple/credentials.py", "providers/apple/keychain.py", "providers/google/checks.py",
        "providers/google/credentials.py", "services/examinations.py",
    )
]  # fmt: skip


def test_every_fault_is_explained() -> None:
    found = {
        name for path in SOURCES for pair in CODE.findall(path.read_text(encoding="utf-8")) for name in pair if name
    }
    rows = {code for line in PAPER.splitlines() if line.startswith("| `") for code in re.findall(r"`(\w+)`", line)}

    assert len(found) >= 25
    assert found - rows == set()


@pytest.mark.parametrize("name", [name for names in examinations.SETTINGS.values() for name in names])
def test_every_setting_is_explained(name: str) -> None:
    assert f"`{name}`" in PAPER


def test_every_figure_is_named() -> None:
    sources = [ROOT / "wallets" / "metrics.py", ROOT / "wallets" / "queries" / "backlog.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    names = set(re.findall(r'"(wallet_\w+)",', text))

    assert len(names) >= 6
    assert {name for name in names if name not in PAPER} == set()
