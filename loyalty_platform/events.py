"""Who reacts to what: each topic of the outbox and the Celery tasks that hear it, by name."""

ROUTES: dict[str, tuple[str, ...]] = {
    "customers.enrolled": ("customers.mail_after_enrollment",),
    "customers.recover_requested": ("customers.mail_way_back",),
}
