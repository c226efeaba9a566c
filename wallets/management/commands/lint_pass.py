"""`manage.py lint_pass FILE`: what a phone would refuse in a .pkpass, one precise reason per fault."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wallets.providers.apple.lint import checks


class Command(BaseCommand):
    """Checks packages, ours and other people's; no credentials are needed."""

    help = "Names each fault of a .pkpass with one reason per line; exit 1 when there is any."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check each file."""
        faulty = False
        for path in options["files"]:
            try:
                content = path.read_bytes()
            except OSError as error:
                raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
            found = checks.faults(content)
            faulty = faulty or bool(found)
            for line in found or ["no fault found"]:
                self.stdout.write(f"{path}: {line}")
        if faulty:
            raise SystemExit(1)
