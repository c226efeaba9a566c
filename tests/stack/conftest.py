"""Fixtures of the stack tests."""

import shutil
from collections.abc import Iterator

import pytest

from tests.stack.harness import Stack, stack_folder


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Yield a stack that runs, shared by the tests of a module."""
    folder = stack_folder()
    with Stack(folder) as running:
        yield running.start()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    """Yield a stack of one test's own, not yet started."""
    folder = stack_folder()
    with Stack(folder) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)
