"""App configuration of the ground floor."""

from typing import Any

from django.apps import AppConfig
from django.core import checks


class CoreConfig(AppConfig):
    """Registers core with Django."""

    name = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Let `manage.py check` and `migrate` look at the wallets' badges, and Prometheus at the outbox."""
        from core import backlog, metrics

        metrics.measures += [backlog.measure_outbox, backlog.measure_ledger]
        checks.register(badges_are_fit)


def badges_are_fit(**_: Any) -> list[checks.CheckMessage]:
    """Warn of files among the badges that cannot be shown; our own buttons stand in for them."""
    from core import badges

    return [
        checks.Warning(f"{name} {fault}.", hint="docs/wallets.md, Badges", id="core.W001")
        for name, fault in badges.examine()
        if fault
    ]
