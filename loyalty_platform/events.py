"""Who reacts to what: each topic of the outbox and the Celery tasks that hear it, by name."""

ROUTES: dict[str, tuple[str, ...]] = {
    "card.changed": ("loyalty.tell_customer",),
    "customers.enrolled": ("customers.mail_after_enrollment",),
    "customers.address_typed": ("customers.mail_new_address",),
    "customers.recover_requested": ("customers.mail_way_back",),
    # Nothing personal is left when it is published; it is for what lives outside, such as passes on phones.
    "customers.erased": (),
    "customers.mail_queued": ("customers.send_mails",),
    "merchants.invited": ("merchants.mail_invitation",),
}
