"""Which worker of pytest-xdist runs which test: any, but those that share a running stack stay together."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = "tests/stack/"


class StackTogether(LoadScopeScheduling):
    """Hands out single tests; the stack tests are one unit, which is the largest and so goes first."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else nodeid
