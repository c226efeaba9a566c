"""The Celery application: queues, delivery rules and the timetable."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty_platform.settings.production")

# Names of tasks that do not exist yet must not be listed: beat would send them to nobody.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep the outbox": {"task": "core.sweep_outbox", "schedule": 30.0, "options": {"expires": 25}},
    "purge": {"task": "core.purge", "schedule": crontab(hour="3", minute="17")},
}

# Which queue a task goes to, by the start of its name; everything else goes to "default".
TASK_ROUTES: dict[str, dict[str, str]] = {
    "customers.mail_*": {"queue": "mail"},
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
