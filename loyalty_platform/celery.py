"""The Celery application: queues, delivery rules and the timetable."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty_platform.settings.production")

# Names of tasks that do not exist yet must not be listed: beat would send them to nobody.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep the outbox": {"task": "core.sweep_outbox", "schedule": 30.0, "options": {"expires": 25}},
    "send mails": {"task": "customers.send_mails", "schedule": 30.0, "options": {"expires": 25}},
    "expire points": {"task": "loyalty.expire_points", "schedule": crontab(hour="2", minute="0")},
    "verify the ledger": {"task": "loyalty.verify_ledger_nightly", "schedule": crontab(hour="2", minute="40")},
    "count what is new for the statistics": {
        "task": "dashboard.refresh_rollups",
        "schedule": 20.0,
        "options": {"expires": 18},
    },
    "sweep the statistics": {"task": "dashboard.sweep_rollups", "schedule": crontab(minute="41")},
    "check the statistics": {"task": "dashboard.check_rollups", "schedule": crontab(hour="4", minute="13")},
    "purge": {"task": "core.purge", "schedule": crontab(hour="3", minute="17")},
}

# Which queue a task goes to, by the start of its name; everything else goes to "default".
TASK_ROUTES: dict[str, dict[str, str]] = {
    "customers.mail_*": {"queue": "mail"},
    "merchants.mail_*": {"queue": "mail"},
    "customers.send_mails": {"queue": "mail"},
    "loyalty.tell_customer": {"queue": "mail"},
    "loyalty.*_at_merchant": {"queue": "bulk"},
    "loyalty.expire_points": {"queue": "bulk"},
    "loyalty.verify_*": {"queue": "bulk"},
    "dashboard.sweep_rollups": {"queue": "bulk"},
    "dashboard.check_rollups": {"queue": "bulk"},
    "wallets.google.*": {"queue": "push.google"},
    "wallets.apple.*": {"queue": "push.apple"},
}
QUEUES = ("default", "mail", "bulk", "push.google", "push.apple")

app = Celery("loyalty_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_routes = TASK_ROUTES
app.conf.beat_schedule = BEAT_SCHEDULE
app.autodiscover_tasks()

__all__ = ["BEAT_SCHEDULE", "QUEUES", "TASK_ROUTES", "app", "crontab"]
