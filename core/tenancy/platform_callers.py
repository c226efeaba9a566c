"""Who may see every merchant at once, and why. A test compares this list with the calls of `tenancy.platform`."""

CALLERS: dict[str, str] = {
    "core.claims": "the relay takes events of all merchants in turns, and rescues what a crash left behind",
    "core.middleware_admin": "administrators see all merchants in Django's admin; what they change is audited",
    "core.retention": "answers under a key and delivered events are deleted by age, whoever they belong to",
    "customers.services.mailbox": "due mails of all merchants are claimed in turns, and rescued after a crash",
    "dashboard.services.rollup_checks": "a sample of merchants is drawn whose statistics are held against the ledger",
    "dashboard.services.rollups": "merchants with new ledger rows are found before the scope of each is opened",
    "dashboard.api.admin": "administrators read programs and figures of all merchants over the admin API",
    "loyalty.queries.verification": "every card of every merchant is held against its ledger, in one snapshot",
    "loyalty.services.expiry": "the nightly job asks at which merchants something may be over, by ids only",
    "loyalty.services.nightly": "what the nightly verification of all ledgers found is written down",
    "loyalty.services.demo.seeding": "the demo's merchants are looked for by their short names, before any scope",
    "wallets.services.queue": "updates of passes of all merchants are claimed in turns, settled, and rescued after a crash",
    "stores.management.commands.create_api_key": "a merchant is found by its short name before its scope can be opened",
}
