"""What looking at reports needs inside of the product: people who are signed in, and the worker that counts.

`python -m tests.bench.visitors MERCHANT` answers lines with lines of JSON: "people" with both cookies; "count" with the
seconds that counting what is new took, as the worker does it every 20 seconds; "state" with how far the counts are.
"""

import json
import sys
import time
from typing import Any
from uuid import uuid4

import django

BACKEND = "django.contrib.auth.backends.ModelBackend"


def main(merchant_id: str) -> None:
    """Answer until there are no more lines."""
    django.setup()
    answers = {"people": people, "count": count, "state": state, "expire": expire}
    for line in sys.stdin:
        print(json.dumps(answers[line.strip()](merchant_id)), flush=True)


def people(merchant_id: str) -> dict[str, str]:
    """Make an owner of the merchant and an administrator of the platform with a second factor, both signed in."""
    from allauth.mfa.models import Authenticator
    from django.conf import settings
    from django.test import Client

    from core import tenancy
    from merchants.models import Membership, User

    tag, cookies = uuid4().hex[:8], {}
    owner = User.objects.create_user(f"owner-{tag}@load.example", uuid4().hex)
    with tenancy.scope(merchant_id):
        Membership.objects.create(user=owner, role="owner")
    admin = User.objects.create_user(f"desk-{tag}@load.example", uuid4().hex, is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=admin, type=Authenticator.Type.TOTP, data={"secret": "x"})
    for name, user in (("owner", owner), ("admin", admin)):
        client = Client()
        client.force_login(user, backend=BACKEND)
        cookies[name] = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    return cookies


def count(_merchant_id: str) -> float:
    """Do what the workers do every 20 seconds."""
    from dashboard import tasks

    began = time.perf_counter()
    tasks.refresh_rollups()
    tasks.renew_kept()
    return time.perf_counter() - began


def state(merchant_id: str) -> int:
    """Return how many stamps of the merchant are counted."""
    from django.db.models import Sum

    from core import tenancy
    from dashboard.models import DayFigures

    with tenancy.scope(merchant_id):
        return int(DayFigures.objects.aggregate(found=Sum("stamps_given"))["found"])


def expire(_merchant_id: str) -> Any:
    """Let the minute go by for which the days of the platform are kept."""
    from django.core.cache import cache
    from django.utils import timezone

    from dashboard.queries import platform_days
    from dashboard.queries.periods import ending

    period = ending(platform_days.today(timezone.now()), 28)
    return cache.delete(f"{platform_days.CACHE_KEY}-{period.first}-{period.last}-all")


if __name__ == "__main__":
    main(*sys.argv[1:])
