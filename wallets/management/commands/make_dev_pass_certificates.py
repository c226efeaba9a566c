"""`manage.py make_dev_pass_certificates`: a certificate chain with which passes are signed in development."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from wallets.providers.apple import development


class Command(BaseCommand):
    """Makes root, intermediate "WWDR G4" and pass certificate; what is there and serves stays as it is."""

    help = "Makes a self-signed chain for Apple passes in var/certs. Phones do not trust it. May be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--out", type=Path, default=settings.VAR / "certs", help="the folder (default: var/certs)")
        parser.add_argument("--pass-type-id", default=settings.LOYALTY_APPLE_PASS_TYPE_ID or development.PASS_TYPE_ID)
        parser.add_argument("--team-id", default=settings.LOYALTY_APPLE_TEAM_ID or development.TEAM_ID)
        parser.add_argument("--force", action="store_true", help="make a new chain in any case")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the chain, unless one is there that serves."""
        folder, at = options["out"], timezone.now()
        named = {"pass_type_id": options["pass_type_id"], "team_id": options["team_id"]}
        if not options["force"]:
            if development.foreign(folder):
                raise CommandError(f"{folder / development.SIGNER} is not of our making: say --force to replace it.")
            if development.serves(folder, at=at, **named):
                self.stdout.write(f"{folder} has a chain for {named['pass_type_id']} already; --force makes a new one.")
                return
        try:
            development.make(folder, at=at, **named)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Made {', '.join(development.FILES)} in {folder} for {named['pass_type_id']}.")
