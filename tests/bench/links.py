"""Save links a second, as a ratio to the RSA signatures that openssl makes on the same core.

Both run on one core, in turns, for as long; time of the processor counts, so that neighbours do not.
"""

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.openssl import compare

ROUNDS = int(os.environ.get("BENCH_LINK_ROUNDS", "3"))
SECONDS = int(os.environ.get("BENCH_LINK_SECONDS", "2"))
WANTED = 0.5
ISSUER = "3388000000022222222"


def main() -> int:
    """Measure; the exit status says whether the ratio is what is wanted."""
    with tempfile.TemporaryDirectory(prefix="loyalty-bench-") as folder:
        _settle(Path(folder))
        return compare("save links", links, rounds=ROUNDS, seconds=SECONDS, wanted=WANTED)


def links(seconds: float) -> float:
    """Return how many links one second of the processor makes, each for another object, as a request makes them."""
    from wallets.providers.google import credentials
    from wallets.providers.google import links as save_links
    from wallets.services import passes

    names = [passes.google_name("c") for _ in range(500)]
    at = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    save_links.save_url(credentials.current(), names[0], at=at)
    made, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        for name in names[:100]:
            save_links.save_url(credentials.current(), name, at=at)
        made += 100
    return made / (time.process_time() - began)


def _settle(folder: Path) -> None:
    """Set Django up with a service account of its own; neither database nor Redis is asked."""
    from tests.fakes.google import new_account

    path = folder / "account.json"
    path.write_text(json.dumps({**new_account(), "token_uri": "https://oauth2.googleapis.com/token"}))
    os.environ["DJANGO_SETTINGS_MODULE"] = "loyalty_platform.settings.test"
    import django
    from django.conf import settings

    django.setup()
    settings.LOYALTY_GOOGLE_ISSUER_ID, settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ISSUER, str(path)


if __name__ == "__main__":
    sys.exit(main())
