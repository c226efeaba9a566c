"""Who may see every merchant at once, and why. A test compares this list with the calls of `tenancy.platform`."""

CALLERS: dict[str, str] = {
    "core.claims": "the relay takes events of all merchants in turns, and rescues what a crash left behind",
    "core.middleware_admin": "administrators see all merchants in Django's admin; what they change is audited",
    "core.retention": "answers under a key and delivered events are deleted by age, whoever they belong to",
    "loyalty.queries.verification": "every card of every merchant is held against its ledger, in one snapshot",
    "loyalty.services.demo.seeding": "the demo's merchants are looked for by their short names, before any scope",
    "stores.management.commands.create_api_key": "a merchant is found by its short name before its scope can be opened",
}
