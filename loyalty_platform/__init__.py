"""The platform: settings, addresses, Celery, event routes and the launcher.

Owns: how the parts are put together; nothing of the trade.
Publishes: the Celery application, loaded here so that `shared_task` finds it.
Hears: nothing; `events.py` says which task hears which topic of the outbox.
This is the only package that knows all others; none of them imports it.
"""

from loyalty_platform.celery import app as celery_app

__all__ = ["celery_app"]
