"""Fixtures of the stack tests."""

from collections.abc import Iterator

import pytest

from tests.stack.harness import Stack, stack_folder


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Yield a stack that runs, shared by the tests of a module."""
    with Stack(stack_folder()) as running:
        yield running.start()


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    """Yield a stack of one test's own, not yet started."""
    with Stack(stack_folder()) as made:
        yield made
