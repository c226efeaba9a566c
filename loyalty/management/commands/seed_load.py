"""`manage.py seed_load --cards N --transactions M`: a load for measurements."""

import io
import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from loyalty.services import load


class Command(BaseCommand):
    """Makes new merchants with many cards and a ledger that adds up."""

    help = "Makes new merchants with N cards and M ledger rows in all. The ledger cannot be deleted again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--cards", type=int, required=True, metavar="N")
        parser.add_argument("--transactions", type=int, required=True, metavar="M")
        parser.add_argument("--api-key-file", type=Path, help="write a key for the biggest merchant to this new file")
        parser.add_argument("--force", action="store_true", help="do it outside of development, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the load and say what it is."""
        if not (settings.DEBUG or options["force"]):
            raise CommandError("The ledger keeps a load for ever: outside of development say --force.")
        began = time.monotonic()
        with _key_file(options["api_key_file"]) as file:
            try:
                made = load.make(cards=options["cards"], transactions=options["transactions"], at=timezone.now())
            except ValueError as error:
                raise CommandError(str(error)) from error
            if file is not None:
                file.write(f"{made.api_key}\n")
        for merchant in made.merchants:
            # The statistics belong to a higher app; its command is known by name only.
            call_command("rebuild_rollups", merchant=merchant.slug, stdout=io.StringIO())
            self.stdout.write(f"{merchant.slug}: {merchant.kind}, {merchant.cards} cards")
        self.stdout.write(f"{options['transactions']} ledger rows in {time.monotonic() - began:.1f} s")


def _key_file(path: Path | None) -> AbstractContextManager[TextIO | None]:
    """Open a new file that only its owner can read, before anything is made."""
    if path is None:
        return nullcontext()
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
    except OSError as error:
        raise CommandError(f"{path} cannot be made: {error.strerror}.") from error
