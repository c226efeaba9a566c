"""`manage.py seed_demo`: the three merchants of the demo, with people and months of history."""

import io
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.services.demo import seeding


class Command(BaseCommand):
    """Makes what is missing of the demo; what is there stays as it is."""

    help = "Makes the demo's merchants, people and history. May be run again; refused outside of development."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the demo."""
        if not settings.DEBUG:
            raise CommandError("The demo has a password that everybody knows: it is for development only.")
        began = time.monotonic()
        made = seeding.seed(at=timezone.now())
        if made:
            # The statistics belong to a higher app; its command is known by name only.
            call_command("rebuild_rollups", stdout=io.StringIO())
        names = ", ".join(made) or "nothing: it is there already"
        self.stdout.write(f"Made {names} ({time.monotonic() - began:.1f} s)")
