"""Every address of the product and who may use it: the one table that test_routes.py holds against the resolver.

A new address without an entry fails, and so does an entry without an address. Store API: what the caller needs, and a
body that works, so that a refusal is known to come from the boundary and not from the body.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from merchants.permissions import EARN, MANAGE, READ, REDEEM
from tests.support import uploads
from tests.support.house import PIN, House

# Who an address is for.
WATCHER = "whoever watches the servers"
ANYONE = "anyone"
SWITCH = "anyone, by POST only"
SIGNED = "whoever holds the signed address from a mail, also a mail program: without cookie and token"
CUSTOMER = "the holder of a card of the store"
OWN_CARD = "the holder of any card; others are led to the start page"
ACCOUNT = "a person's account: allauth's own"
PERSON = "whoever is signed in"
MERCHANT_PAGE = "the merchant's people, by role; the merchant is the person's"
STORE_PAGE = "the merchant's people, by role; the merchant is that of the store in the address"
TERMINAL_PAGE = "paired tills and the merchant's people"
STORE_API = "an API key, a till or a person of the merchant"
CARD_API = "the holder of a card"
PUBLIC_API = "anyone, JSON"
PICTURE = "anyone who was shown the address of a picture"
GOOGLE = "Google, by its signature"
DEVICE = "a phone, by the token of the pass that it holds; a list by the device's own name; its reports by nobody's"
DEVELOPER = "developers, under DEBUG only; nobody else finds it"
ADMIN = "the platform's administrators"


@dataclass(frozen=True)
class Use:
    """One method of an address of the store API. `any_of`: the scopes of which the caller needs one.

    The body names things of a house by "{card_id}" and the like. first: what must have happened for it to work.
    """

    any_of: tuple[str, ...]
    body: dict[str, Any] | None = None
    first: Callable[[House], object] | None = None
    # The body is a picture as a form sends it.
    image: bool = False

    @property
    def names_things(self) -> bool:
        """Whether the body names things by id, which may be another merchant's."""
        return "{" in str(list((self.body or {}).values()))

    def body_for(self, house: House) -> dict[str, Any] | bytes | None:
        """Return the body about the things of a house."""
        if self.image:
            return uploads.form()
        return None if self.body is None else {name: _filled(value, house) for name, value in self.body.items()}


@dataclass(frozen=True)
class Route:
    """Who may use an address, how; `role` is the scope that a merchant's page needs."""

    who: str
    methods: tuple[str, ...] = ("GET",)
    role: str = MANAGE
    uses: dict[str, Use] = field(default_factory=dict)


def page(who: str, *methods: str, role: str = MANAGE) -> Route:
    """Describe a page."""
    return Route(who, methods or ("GET",), role)


def api(**uses: Use) -> Route:
    """Describe an address of the store API."""
    return Route(STORE_API, tuple(uses), uses=uses)


def _filled(value: Any, house: House) -> Any:
    if isinstance(value, list):
        return [_filled(item, house) for item in value]
    return value.format(**house.ids) if isinstance(value, str) else value


READS = Use((READ,))
MANAGES = Use((MANAGE,))
CARD = {"card_id": "{card_id}"}

STORE = "store/<slug:store_code>/loyalty/"
TERMINAL = f"{STORE}terminal"
API = "api/v1/store/loyalty/"
MERCHANT_API = "api/v1/merchant/"
APPLE = "api/v1/loyalty/apple/v1/"

ROUTES: dict[str, Route] = {
    "healthz": page(WATCHER),
    "readyz": page(WATCHER),
    "metrics": page(WATCHER),
    # Everyone
    "": page(ANYONE),
    "i18n/setlang/": page(SWITCH, "POST"),
    "theme": page(SWITCH, "POST"),
    "media/badges/<str:file>": page(PICTURE),
    "media/<path:file>": page(PICTURE),
    "theme/<uuid:merchant_id>-<int:version>.css": page(ANYONE),
    "qr/<slug:store_code>.png": page(ANYONE),
    "dev/components/": page(DEVELOPER),
    "legal/terms": page(ANYONE),
    "legal/privacy": page(ANYONE),
    "legal/imprint": page(ANYONE),
    "signup/": page(ANYONE, "GET", "POST"),
    "terminal-worker.js": page(ANYONE),
    "pair": page(ANYONE, "GET", "POST"),
    "invitations/<str:token>": page(ANYONE, "GET", "POST"),
    "api/schema/": page(PUBLIC_API),
    "api/docs/": page(ANYONE),
    # Customers
    "loyalty": page(OWN_CARD),
    "loyalty/dashboard": page(OWN_CARD),
    "loyalty/history": page(OWN_CARD),
    "loyalty/enroll": page(OWN_CARD),
    "loyalty/worker.js": page(ANYONE),
    "loyalty/<str:store_code>": page(ANYONE),
    "loyalty/<str:store_code>/enroll": page(ANYONE, "GET", "POST"),
    "loyalty/<str:store_code>/recover": page(ANYONE, "GET", "POST"),
    "loyalty/<str:store_code>/link/<str:token>": page(ANYONE, "GET", "POST"),
    "loyalty/<str:store_code>/welcome": page(CUSTOMER),
    "loyalty/<str:store_code>/dashboard": page(CUSTOMER),
    "loyalty/<str:store_code>/history": page(CUSTOMER),
    "loyalty/<str:store_code>/state": page(CUSTOMER),
    "loyalty/<str:store_code>/save": page(CUSTOMER, "GET", "POST"),
    "loyalty/<str:store_code>/handover": page(CUSTOMER, "GET", "POST"),
    "loyalty/<str:store_code>/open/<str:token>": page(ANYONE, "GET", "POST"),
    "loyalty/<str:store_code>/privacy": page(CUSTOMER, "GET", "POST"),
    "loyalty/<str:store_code>/privacy/export": page(CUSTOMER),
    "loyalty/<str:store_code>/privacy/erase": page(CUSTOMER, "GET", "POST"),
    "loyalty/<str:store_code>/profile": page(CUSTOMER, "GET", "POST"),
    "u/<str:token>": page(SIGNED, "GET", "POST"),
    "stamp/<str:store_code>": page(ANYONE, "GET", "POST"),
    "points/<str:store_code>": page(ANYONE, "GET", "POST"),
    "c/<str:code>": page(ANYONE),
    # People and their account
    "accounts/signup/": page(ACCOUNT),
    "accounts/login/": page(ACCOUNT),
    "accounts/logout/": page(ACCOUNT),
    "accounts/inactive/": page(ACCOUNT),
    "accounts/reauthenticate/": page(ACCOUNT),
    "accounts/email/": page(ACCOUNT),
    "accounts/confirm-email/": page(ACCOUNT),
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": page(ACCOUNT),
    "accounts/password/change/": page(ACCOUNT),
    "accounts/password/set/": page(ACCOUNT),
    "accounts/password/reset/": page(ACCOUNT),
    "accounts/password/reset/done/": page(ACCOUNT),
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": page(ACCOUNT),
    "accounts/password/reset/key/done/": page(ACCOUNT),
    "accounts/login/code/confirm/": page(ACCOUNT),
    "accounts/2fa/": page(ACCOUNT),
    "accounts/2fa/authenticate/": page(ACCOUNT),
    "accounts/2fa/reauthenticate/": page(ACCOUNT),
    "accounts/2fa/totp/activate/": page(ACCOUNT),
    "accounts/2fa/totp/deactivate/": page(ACCOUNT),
    "accounts/2fa/recovery-codes/": page(ACCOUNT),
    "accounts/2fa/recovery-codes/generate/": page(ACCOUNT),
    "accounts/2fa/recovery-codes/download/": page(ACCOUNT),
    "accounts/google/login/": page(ACCOUNT),
    "accounts/google/login/callback/": page(ACCOUNT),
    "accounts/google/login/token/": page(ACCOUNT),
    "accounts/3rdparty/": page(ACCOUNT),
    "accounts/3rdparty/signup/": page(ACCOUNT),
    "accounts/3rdparty/login/cancelled/": page(ACCOUNT),
    "accounts/3rdparty/login/error/": page(ACCOUNT),
    "accounts/social/login/cancelled/": page(ACCOUNT),
    "accounts/social/login/error/": page(ACCOUNT),
    "accounts/social/signup/": page(ACCOUNT),
    "accounts/social/connections/": page(ACCOUNT),
    # The merchant's people
    "store/": page(PERSON),
    "store/loyalty/": page(PERSON),
    "store/loyalty/<path:rest>": page(PERSON),
    "store/<slug:store_code>": page(PERSON),
    "store/<path:rest>": page(PERSON),
    "store/onboarding": page(MERCHANT_PAGE),
    "^store/onboarding/(?P<number>[1-4])$": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/stores": page(MERCHANT_PAGE),
    "store/merchant/stores/new": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/stores/<uuid:store_id>": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/stores/<uuid:store_id>/close": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/team": page(MERCHANT_PAGE),
    "store/merchant/team/<uuid:membership_id>/role": page(MERCHANT_PAGE, "POST"),
    "store/merchant/team/<uuid:membership_id>/remove": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/team/invite": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/team/invitations/<uuid:invitation_id>/resend": page(MERCHANT_PAGE, "POST"),
    "store/merchant/team/invitations/<uuid:invitation_id>/revoke": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/wallets": page(MERCHANT_PAGE),
    "store/merchant/support": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/support/withdraw": page(MERCHANT_PAGE, "POST"),
    "store/merchant/export": page(MERCHANT_PAGE),
    "store/merchant/export/<slug:kind>.csv": page(MERCHANT_PAGE),
    "store/merchant/api-keys": page(MERCHANT_PAGE),
    "store/merchant/api-keys/new": page(MERCHANT_PAGE, "GET", "POST"),
    "store/merchant/api-keys/<uuid:api_key_id>/revoke": page(MERCHANT_PAGE, "GET", "POST"),
    TERMINAL: page(TERMINAL_PAGE),
    f"{TERMINAL}.webmanifest": page(TERMINAL_PAGE),
    STORE: page(STORE_PAGE, role=READ),
    f"{STORE}stats": page(STORE_PAGE),
    f"{STORE}stats.csv": page(STORE_PAGE),
    f"{STORE}cards": page(STORE_PAGE),
    f"{STORE}cards/<uuid:card_id>": page(STORE_PAGE),
    f"{STORE}cards/<uuid:card_id>/void/<uuid:transaction_id>": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}cards/<uuid:card_id>/refund/<uuid:transaction_id>": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}cards/<uuid:card_id>/adjust": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}cards/<uuid:card_id>/freeze": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}cards/<uuid:card_id>/merge": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}cards/<uuid:card_id>/unmerge": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}cards/<uuid:card_id>/owner": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}cards/<uuid:card_id>/erase": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}enroll": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}settings": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}settings/<slug:status>": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}rewards": page(STORE_PAGE),
    f"{STORE}rewards/new": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}rewards/<uuid:reward_id>": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}rewards/<uuid:reward_id>/switch": page(STORE_PAGE, "POST"),
    f"{STORE}rewards/<uuid:reward_id>/picture": page(STORE_PAGE, "POST"),
    f"{STORE}rewards/<uuid:reward_id>/picture/remove": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}rewards/<uuid:reward_id>/remove": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}staff": page(STORE_PAGE),
    f"{STORE}staff/new": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}staff/<uuid:staff_id>": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}staff/<uuid:staff_id>/pin": page(STORE_PAGE, "POST"),
    f"{STORE}staff/<uuid:staff_id>/unlock": page(STORE_PAGE, "POST"),
    f"{STORE}staff/<uuid:staff_id>/leave": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}terminals": page(STORE_PAGE),
    f"{STORE}terminals/discard": page(STORE_PAGE, "POST"),
    f"{STORE}terminals/new": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}terminals/<uuid:terminal_id>/revoke": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}reviews": page(STORE_PAGE),
    f"{STORE}reviews/<uuid:review_id>/accept": page(STORE_PAGE, "POST"),
    f"{STORE}reviews/<uuid:review_id>/dismiss": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}branding": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}branding/logo": page(STORE_PAGE, "POST"),
    f"{STORE}branding/logo/remove": page(STORE_PAGE, "GET", "POST"),
    f"{STORE}posters": page(STORE_PAGE),
    f"{STORE}posters/<slug:size>.pdf": page(STORE_PAGE),
    # Tills and scripts
    f"{API}program": api(
        GET=READS,
        POST=Use((MANAGE,), {"name": "Second", "loyalty_type": "stamps"}),
        PATCH=Use((MANAGE,), {"cooldown_minutes": 5}),
    ),
    f"{API}stats": api(GET=READS),
    f"{API}rewards": api(GET=READS, POST=Use((MANAGE,), {"name": "Mug", "points_cost": 50})),
    f"{API}rewards/<uuid:reward_id>": api(PATCH=Use((MANAGE,), {"name": "Mug"}), DELETE=Use((MANAGE,))),
    f"{API}rewards/<uuid:reward_id>/image": api(PUT=Use((MANAGE,), image=True), DELETE=Use((MANAGE,))),
    f"{API}cards": api(GET=READS),
    f"{API}cards/enroll": api(POST=Use((EARN,), {"name": "Paul"})),
    f"{API}cards/lookup": api(POST=Use((READ,), CARD)),
    f"{API}cards/<uuid:card_id>": api(GET=READS),
    f"{API}cards/<uuid:card_id>/transactions": api(GET=READS),
    f"{API}cards/<uuid:card_id>/adjust": api(POST=Use((MANAGE,), {"points_delta": 5, "reason": "kindness"})),
    f"{API}cards/<uuid:card_id>/freeze": api(POST=Use((MANAGE,), {"reason": "lost"})),
    f"{API}cards/<uuid:card_id>/unfreeze": api(POST=Use((MANAGE,), {"reason": "found"}, House.freeze)),
    f"{API}cards/<uuid:card_id>/merge": api(POST=Use((MANAGE,), {"into": "{spare_id}", "reason": "same person"})),
    f"{API}cards/<uuid:card_id>/unmerge": api(POST=Use((MANAGE,), {"reason": "two persons"}, House.merge)),
    f"{API}stamp": api(POST=Use((EARN,), CARD)),
    f"{API}stamp/redeem": api(POST=Use((REDEEM,), CARD)),
    f"{API}points": api(POST=Use((EARN,), {**CARD, "purchase_amount_cents": 500})),
    f"{API}points/redeem": api(POST=Use((REDEEM,), {**CARD, "reward_id": "{reward_id}"})),
    f"{API}transactions/<uuid:transaction_id>/void": api(POST=Use((EARN, MANAGE), {"reason": "typed twice"})),
    f"{API}transactions/<uuid:transaction_id>/refund": api(POST=Use((MANAGE,), {"amount_cents": 100})),
    f"{API}preview": api(POST=Use((READ,), {**CARD, "op": "stamp"})),
    f"{API}terminal/batch": api(POST=Use((EARN,), {"operations": []})),
    f"{API}reviews": api(GET=READS),
    f"{API}reviews/<uuid:review_id>/accept": api(POST=Use((MANAGE,), {"note": "seen"})),
    f"{API}reviews/<uuid:review_id>/dismiss": api(POST=Use((MANAGE,), {"note": "double"})),
    f"{API}pins": api(GET=READS, POST=Use((MANAGE,), {"name": "Carla", "stores": ["{store_code}"]})),
    f"{API}pins/verify": api(POST=Use((EARN, REDEEM, MANAGE), {"staff_id": "{staff_id}", "staff_pin": PIN})),
    f"{API}pins/<uuid:staff_id>": api(PATCH=Use((MANAGE,), {"name": "Anne"}), DELETE=Use((MANAGE,))),
    f"{API}pins/<uuid:staff_id>/unlock": api(POST=Use((MANAGE,))),
    f"{API}staff": api(GET=READS),
    "api/v1/merchant/analytics": api(GET=Use((MANAGE,))),
    "api/v1/merchant/logo": api(PUT=Use((MANAGE,), image=True), DELETE=Use((MANAGE,))),
    "api/v1/merchant/team/invitations": api(
        GET=Use((MANAGE,)), POST=Use((MANAGE,), {"email": "new@example.com", "role": "staff"})
    ),
    "api/v1/merchant/team/invitations/<uuid:invitation_id>": api(DELETE=Use((MANAGE,))),
    "api/v1/merchant/team/invitations/<uuid:invitation_id>/resend": api(POST=Use((MANAGE,))),
    "api/v1/merchant/exports/cards.csv": api(GET=Use((MANAGE,))),
    "api/v1/merchant/exports/transactions.csv": api(GET=Use((MANAGE,))),
    "api/v1/merchant/exports/customers.csv": api(GET=Use((MANAGE,))),
    # The merchant's own affairs, for people who manage and keys with `manage`; roles: merchants.permissions.RIGHTS
    "api/v1/merchant": api(GET=MANAGES, PATCH=Use((MANAGE,), {"legal_name": "Café SARL"})),
    f"{MERCHANT_API}settings": api(GET=MANAGES),
    f"{MERCHANT_API}stores": api(GET=MANAGES, POST=Use((MANAGE,), {"name": "Kirchberg"})),
    f"{MERCHANT_API}stores/<uuid:store_id>": api(
        GET=MANAGES, PATCH=Use((MANAGE,), {"city": "Luxembourg"}), DELETE=MANAGES
    ),
    f"{MERCHANT_API}team": api(GET=MANAGES, POST=Use((MANAGE,), {"email": "carla@example.com", "role": "staff"})),
    f"{MERCHANT_API}team/<uuid:membership_id>": api(PATCH=Use((MANAGE,), {"role": "manager"}), DELETE=MANAGES),
    f"{MERCHANT_API}terminals": api(
        GET=MANAGES, POST=Use((MANAGE,), {"name": "Till 2", "store": "{store_code}"})
    ),
    f"{MERCHANT_API}terminals/<uuid:terminal_id>": api(PATCH=Use((MANAGE,), {"name": "Bar"}), DELETE=MANAGES),
    f"{MERCHANT_API}api-keys": api(
        GET=MANAGES, POST=Use((MANAGE,), {"name": "POS", "scopes": ["manage"], "store": "{store_code}"})
    ),
    f"{MERCHANT_API}api-keys/<uuid:api_key_id>": api(PATCH=Use((MANAGE,), {"name": "Till"}), DELETE=MANAGES),
    f"{MERCHANT_API}customers": api(GET=MANAGES),
    f"{MERCHANT_API}customers/<uuid:customer_id>": api(
        GET=MANAGES, PATCH=Use((MANAGE,), {"language": "de", "staff_id": "{staff_id}"})
    ),
    f"{MERCHANT_API}customers/<uuid:customer_id>/erase": api(
        POST=Use((MANAGE,), {"confirm": True, "reason": "asked in a letter"})
    ),
    # Customers' clients, and everyone
    "api/v1/storefront/loyalty/enroll": Route(PUBLIC_API, ("POST",)),
    "api/v1/storefront/loyalty/card": Route(CARD_API),
    "api/v1/storefront/loyalty/transactions": Route(CARD_API),
    "api/v1/storefront/loyalty/profile": Route(CARD_API, ("GET", "PATCH")),
    "api/v1/storefront/loyalty/consents": Route(CARD_API, ("GET", "POST")),
    "api/v1/storefront/loyalty/recover": Route(PUBLIC_API, ("POST",)),
    "api/v1/storefront/loyalty/export": Route(CARD_API),
    "api/v1/storefront/loyalty/erase": Route(CARD_API, ("POST",)),
    "api/v1/loyalty/programs/<str:store_code>": Route(PUBLIC_API),
    f"{APPLE}devices/<str:device>/registrations/<str:pass_type>": page(DEVICE),
    f"{APPLE}devices/<str:device>/registrations/<str:pass_type>/<str:serial>": page(DEVICE, "POST", "DELETE"),
    f"{APPLE}passes/<str:pass_type>/<str:serial>": page(DEVICE),
    f"{APPLE}log": page(DEVICE, "POST"),
    "api/v1/loyalty/passes/apple/<str:serial>.pkpass": page(SIGNED),
    "api/v1/loyalty/passes/google/<str:token>": page(SIGNED),
    "api/v1/loyalty/google/callback": page(GOOGLE, "POST"),
    # The platform's administrators, JSON
    "api/v1/admin/loyalty/programs": Route(ADMIN),
    "api/v1/admin/loyalty/programs/<uuid:program_id>": Route(ADMIN),
    "api/v1/admin/loyalty/programs/<uuid:program_id>/stats": Route(ADMIN),
    "api/v1/admin/loyalty/stats": Route(ADMIN),
    # Nobody's
    "^": page(ANYONE),
}  # fmt: skip

# The platform's administrators: pages of the site itself, and the models that have pages there.
ADMIN_PAGES = {
    "", "login/", "logout/", "password_change/", "password_change/done/", "autocomplete/", "jsi18n/",
    "r/<path:content_type_id>/<path:object_id>/",
    # The platform's own pages: dashboard.admin
    "loyalty/programs", "loyalty/analytics", "loyalty/merchants/<uuid:merchant_id>",
    "loyalty/merchants/<uuid:merchant_id>/settings", "loyalty/merchants/<uuid:merchant_id>/look",
    "loyalty/merchants/<uuid:merchant_id>/look/end",
}  # fmt: skip
ADMIN_MODELS = {
    "auth/group", "account/emailaddress", "mfa/authenticator", "socialaccount/socialapp", "socialaccount/socialtoken",
    "socialaccount/socialaccount", "core/outboxevent", "core/idempotencyrecord", "core/auditentry",
    "merchants/user", "merchants/merchant", "merchants/membership", "merchants/invitation",
    "merchants/merchantsettings", "merchants/supportconsent", "stores/store", "stores/staffpin", "stores/terminal",
    "stores/apikey",
    "stores/pinguard", "customers/customer", "customers/consent", "customers/magiclink", "loyalty/program",
    "loyalty/reward", "loyalty/storeprogram", "loyalty/programversion", "loyalty/card", "loyalty/issuedreward",
    "loyalty/transaction", "loyalty/transactiondetail", "loyalty/refusedattempt", "loyalty/cardmerge",
    "loyalty/reviewitem", "customers/mail",
    "wallets/passupdate", "wallets/googleclass", "wallets/providerstate", "wallets/devicelog", "wallets/googlecallback",
    "wallets/applepass", "wallets/googlepass", "wallets/appledevice", "wallets/appledeviceregistration",
}  # fmt: skip
