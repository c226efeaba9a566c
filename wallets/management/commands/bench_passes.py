"""`manage.py bench_passes --seconds S`: how many passes one core makes, the generator alone."""

import itertools
import json
import math
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings
from django.utils import timezone

from wallets.providers.apple import development, provider, samples


class Command(BaseCommand):
    """Renders realistic cards with changing balances, with a certificate made for the run."""

    help = 'Renders Apple passes for S seconds and prints {"passes": n, "cpu_seconds": s}. Needs no credentials.'

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--seconds", type=float, default=5.0, metavar="S")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        if not 0 < options["seconds"] < math.inf:
            raise CommandError("--seconds is more than 0, and some number.")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            development.make(
                folder, pass_type_id=development.PASS_TYPE_ID, team_id=development.TEAM_ID, at=timezone.now()
            )
            with override_settings(**development.settings_for(folder)):
                passes, cpu = _measure(options["seconds"])
        self.stdout.write(json.dumps({"passes": passes, "cpu_seconds": round(cpu, 3)}))


def _measure(seconds: float) -> tuple[int, float]:
    cards = samples.cards()
    for card in cards:  # pictures are drawn once per balance, in a worker's life
        provider.APPLE.render(card, samples.identity(0))
    made, began, until = 0, _cpu_seconds(), time.monotonic() + seconds
    for number, card in enumerate(itertools.cycle(cards)):
        if time.monotonic() >= until:
            break
        provider.APPLE.render(card, samples.identity(number))
        made += 1
    return made, _cpu_seconds() - began


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
