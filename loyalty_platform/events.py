"""Who reacts to what: each topic of the outbox and the Celery tasks that hear it, by name."""

ROUTES: dict[str, tuple[str, ...]] = {}
