"""`manage.py rebuild_rollups`: count the statistics anew from the ledger, or see whether they agree with it."""

import time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dashboard.services import rollup_checks, rollups
from loyalty.queries import verification


class Command(BaseCommand):
    """Rebuilds the rollups, merchant by merchant, each in one transaction; reports see the old ones until it ends."""

    help = (
        "Counts the rollups, from which all statistics are read, anew from the ledger: exactly, and safe to run at any "
        "time beside the tills. With --check nothing is rebuilt: each rollup row that differs from the ledger is "
        "printed, and the exit code is 1 when there is one. (Every 20 seconds a worker counts what is new by itself.)"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--merchant", metavar="SLUG", help="only this merchant; without it, all of them in turn")
        parser.add_argument("--check", action="store_true", help="compare with the ledger instead of rebuilding")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild or compare, and say how long it took."""
        began, faults = time.monotonic(), 0
        merchants = self._merchants(options["merchant"])
        for merchant_id, slug in merchants:
            if options["check"]:
                faults += self._compare(merchant_id, slug)
            else:
                rollups.rebuild(merchant_id=merchant_id, at=timezone.now())
        about = f"{len(merchants)} merchants, {time.monotonic() - began:.1f} s"
        if faults:
            raise CommandError(f"{faults} differences ({about})")
        self.stdout.write(f"0 differences ({about})" if options["check"] else f"Rebuilt the statistics ({about})")

    def _compare(self, merchant_id: UUID, slug: str) -> int:
        found = rollup_checks.differences(merchant_id=merchant_id, days=None, at=timezone.now())
        for item in found:
            self.stdout.write(f"{slug} {item.day} {item.rollup}: {item.says}")
        return len(found)

    def _merchants(self, slug: str | None) -> list[tuple[UUID, str]]:
        if slug is None:
            return rollups.merchants()
        merchant_id = verification.merchant_by_slug(slug)
        if merchant_id is None:
            raise CommandError(f"There is no merchant with the short name {slug!r}.")
        return [(merchant_id, slug)]
