"""Who reacts to what: each topic of the outbox and the Celery tasks that hear it, by name."""

ROUTES: dict[str, tuple[str, ...]] = {
    "card.changed": ("loyalty.tell_customer", "wallets.note_change"),
    "program.changed": ("wallets.note_program",),
    "merchant.changed": ("wallets.note_merchant",),
    "store.changed": ("wallets.note_merchant",),
    "wallets.apple_queued": ("wallets.apple.push",),
    "wallets.google_queued": ("wallets.google.push",),
    "wallets.google_reported": ("wallets.google.check_holders",),
    "customers.enrolled": ("customers.mail_after_enrollment",),
    "customers.address_typed": ("customers.mail_new_address",),
    "customers.recover_requested": ("customers.mail_way_back",),
    # Nothing personal is left when it is published; it is for what lives outside, such as passes on phones.
    "customers.erased": (),
    "customers.mail_queued": ("customers.send_mails",),
    "merchants.invited": ("merchants.mail_invitation",),
}
