"""`manage.py relay`: the process that takes events from the outbox to the tasks that hear them."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from core.relay import Relay


class Command(BaseCommand):
    """Run the relay until SIGTERM or Ctrl-C. Several may run at once."""

    help = "Takes events from the outbox to the tasks that hear them, until it is told to stop."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        relay = Relay()

        def on_signal(number: int, frame: object) -> None:
            relay.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
        relay.run()
