"""`manage.py make_dev_pass_certificates`: a certificate chain with which passes are signed in development."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from wallets.providers.apple import development

LONGEST_PASS_TYPE = 155
PASS_TYPE = re.compile(r"pass\.[A-Za-z0-9.-]+")
TEAM = re.compile(r"[A-Z0-9]{10}")


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
        named = _named(options["pass_type_id"], options["team_id"])
        try:
            if not options["force"]:
                if development.foreign(folder):
                    raise CommandError(f"{folder / development.SIGNER} is not of our making: --force replaces it.")
                if development.serves(folder, at=at, **named):
                    self.stdout.write(
                        f"{folder} has a chain for {named['pass_type_id']} already; --force makes a new one."
                    )
                    return
            development.make(folder, at=at, **named)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Made {', '.join(development.FILES)} in {folder} for {named['pass_type_id']}.")


def _named(pass_type_id: str, team_id: str) -> dict[str, str]:
    if not PASS_TYPE.fullmatch(pass_type_id) or len(pass_type_id) > LONGEST_PASS_TYPE:
        raise CommandError(f"--pass-type-id is {pass_type_id!r}; one looks like {development.PASS_TYPE_ID}.")
    if not TEAM.fullmatch(team_id):
        raise CommandError(f"--team-id is {team_id!r}; one has ten capital letters or digits.")
    return {"pass_type_id": pass_type_id, "team_id": team_id}
