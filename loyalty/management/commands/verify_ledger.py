"""`manage.py verify_ledger`: hold every cached number against the ledger; exit 1 on any difference."""

import time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.queries import verification
from loyalty.queries.verification import Difference

COLUMNS = (
    "seq", "type", "stamps_delta", "stamps_after", "points_delta", "points_after", "debt_delta", "micro_delta",
    "granted_delta", "purchase_amount_cents", "line", "idempotency_key", "id", "issued_reward_id", "reverses_id",
)  # fmt: skip


class Command(BaseCommand):
    """Prints each difference with the rows of its card."""

    help = "Compares cards, rewards and tenants with the ledger. Prints each difference with its rows; exit 1 on any."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--merchant", metavar="SLUG", help="only this merchant")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and print."""
        began = time.monotonic()
        report = verification.verify(self._merchant(options["merchant"]))
        grouped = verification.by_card(report)
        names = verification.names({card_id for card_id in grouped if card_id is not None})
        for card_id, differences in grouped.items():
            self._print(names.get(card_id, str(card_id)) if card_id else "", card_id, differences)
        seconds = time.monotonic() - began
        looked_at = f"{report.cards} cards, {report.rows} ledger rows, {seconds:.1f} s"
        if report.differences:
            raise CommandError(f"{len(report.differences)} differences ({looked_at})")
        self.stdout.write(f"0 differences ({looked_at})")

    def _merchant(self, slug: str | None) -> UUID | None:
        if slug is None:
            return None
        merchant_id = verification.merchant_by_slug(slug)
        if merchant_id is None:
            raise CommandError(f"There is no merchant with the short name {slug!r}.")
        return merchant_id

    def _print(self, name: str, card_id: UUID | None, differences: list[Difference]) -> None:
        if card_id is not None:
            self.stdout.write(f"card {name} ({card_id})")
        for item in differences:
            self.stdout.write(f"  {item.kind}: {item.says}" + (f" [{item.about}]" if item.about else ""))
        rows = verification.ledger_of(card_id) if card_id is not None else []
        for row in rows:
            shown = (f"{column}={row[column]}" for column in COLUMNS if row[column] not in (None, 0, ""))
            self.stdout.write(f"    {row['occurred_at']:%Y-%m-%d %H:%M:%S} {' '.join(shown)}")
