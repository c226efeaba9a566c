"""Counts the round trips of one warm stamp on the bench's database: `python -m tests.bench.trips KEY CARD HOST`."""

import sys
from uuid import uuid4

import django


def main(api_key: str, card: str, host: str) -> None:
    """Stamp some times, then count."""
    django.setup()
    from django.test import Client

    from tests.support.round_trips import counting

    client = Client(headers={"Authorization": f"Bearer {api_key}", "Host": host})

    def stamp() -> int:
        return client.post(
            "/api/v1/store/loyalty/stamp", {"card_id": card}, content_type="application/json",
            headers={"Idempotency-Key": f"trips-{uuid4()}"},
        ).status_code  # fmt: skip

    for _ in range(8):
        stamp()
    with counting() as trips:
        status = stamp()
    print(f"round trips      {len(trips)} (wanted: 2), status {status}")
    for number, trip in enumerate(trips.sent, 1):
        statements = sum(item.split("(")[0] in ("Execute", "Query") for item in trip)
        named = ", ".join(item for item in trip if "(" in item)
        print(f"                 {number}: {statements} statement{'s' if statements > 1 else ''} {named}".rstrip())


if __name__ == "__main__":
    main(*sys.argv[1:])
