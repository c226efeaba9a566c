"""The Celery application: queues, delivery rules and the timetable."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import task_postrun, task_prerun
from django.db import close_old_connections
from kombu.transport import TRANSPORT_ALIASES

from core import tracing

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
    "count anew what takes long": {"task": "dashboard.renew_kept", "schedule": 20.0, "options": {"expires": 18}},
    "sweep the statistics": {"task": "dashboard.sweep_rollups", "schedule": crontab(minute="41")},
    "check the statistics": {"task": "dashboard.check_rollups", "schedule": crontab(hour="4", minute="13")},
    # Changes wake these by themselves; the timetable is the net below, for words that got lost with the broker.
    "push to Apple": {"task": "wallets.apple.push", "schedule": 5.0, "options": {"expires": 4}},
    "push to Google": {"task": "wallets.google.push", "schedule": 5.0, "options": {"expires": 4}},
    "rescue pass updates": {"task": "wallets.rescue", "schedule": 15.0, "options": {"expires": 14}},
    "repair passes": {"task": "loyalty.sync_wallet_passes", "schedule": crontab(minute="23")},
    "end passes of erased people": {"task": "wallets.retire", "schedule": crontab(hour="3", minute="47")},
    "purge what wallets reported": {"task": "wallets.purge", "schedule": crontab(hour="3", minute="52")},
    "warn of wallet credentials": {"task": "wallets.warn_of_expiries", "schedule": crontab(hour="6", minute="5")},
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
    "dashboard.renew_kept": {"queue": "bulk"},
    "dashboard.check_rollups": {"queue": "bulk"},
    # A program's change is thousands of cards: it must not stand in the way of a stamp's.
    "wallets.note_change": {"queue": "wallets"},
    "wallets.rescue": {"queue": "wallets"},
    "wallets.google.*": {"queue": "push.google"},
    "wallets.apple.*": {"queue": "push.apple"},
    "wallets.*": {"queue": "bulk"},
    "loyalty.sync_wallet_passes": {"queue": "bulk"},
}
QUEUES = ("default", "mail", "bulk", "wallets", "push.apple", "push.google")

app = Celery("loyalty_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_routes = TASK_ROUTES
app.conf.beat_schedule = BEAT_SCHEDULE
# By itself Celery opens a connection to the database for each task, which costs more than most tasks. It is kept, and
# looked at before each task as it is before each request; once in a while there is a new one all the same.
app.conf["CELERY_DB_REUSE_MAX"] = 500
# pools.py and channels.py say which faults make them necessary.
app.conf.worker_pool = "loyalty_platform.pools:TaskPool"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "loyalty_platform.channels:Transport"
app.autodiscover_tasks()


@task_prerun.connect(dispatch_uid="look at the connection before a task")
def _look_at_connection(task: Any = None, **_: Any) -> None:
    """Let the next query notice a connection that died since the last task."""
    if not task.request.is_eager:
        close_old_connections()
        tracing.begin(task=task.name, task_id=task.request.id)


@task_postrun.connect(dispatch_uid="forget the task")
def _forget_task(task: Any = None, **_: Any) -> None:
    """Let no later line carry this task's number."""
    if not task.request.is_eager:
        tracing.end()


__all__ = ["BEAT_SCHEDULE", "QUEUES", "TASK_ROUTES", "app", "crontab"]
