"""Which pages each kind of person sees: made from the table of all addresses and a house's things."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.contrib import admin
from django.test import Client

from core import tenancy
from customers.enums import Channel, LinkPurpose, Purpose
from customers.models import Customer
from customers.services import links, unsubscribes
from loyalty.services import handovers
from merchants.enums import Role
from merchants.models import Invitation, User
from merchants.services import invitations
from stores.models import Store
from tests.architecture import routes as table
from tests.architecture import sweep
from tests.support.desk import Desk
from tests.support.house import House

SHOP = ("loyalty", "c/", "stamp/", "points/")
OFFICE = (table.PERSON, table.MERCHANT_PAGE, table.STORE_PAGE)
# What is never a page: files, JSON for pages, switches, and doors that lead to a page of another address.
NO_PAGE = {
    "healthz", "readyz", "metrics", "media/<path:file>", "media/badges/<str:file>",
    "theme/<uuid:merchant_id>-<int:version>.css",
    "qr/<slug:store_code>.png", "terminal-worker.js", "loyalty/worker.js", "loyalty/<str:store_code>/state",
    f"{table.TERMINAL}.webmanifest", f"{table.STORE}stats.csv", f"{table.STORE}posters/<slug:size>.pdf",
    "store/merchant/export/<slug:kind>.csv",
}  # fmt: skip
# Addresses that lead elsewhere, or to allauth's ways of signing in that are switched off.
DOORS = {
    "loyalty", "loyalty/dashboard", "loyalty/history", "loyalty/enroll", "loyalty/<str:store_code>", "store/",
    "store/loyalty/", "store/loyalty/<path:rest>", "store/<slug:store_code>", "store/<path:rest>", "store/onboarding",
    "accounts/signup/", "accounts/password/set/", "accounts/login/code/confirm/", "accounts/2fa/reauthenticate/",
    "accounts/2fa/recovery-codes/download/", "accounts/google/login/", "accounts/google/login/callback/",
    "accounts/google/login/token/", "accounts/3rdparty/signup/", "accounts/3rdparty/login/error/",
    "accounts/social/login/cancelled/", "accounts/social/login/error/", "accounts/social/signup/",
    "accounts/social/connections/", "api/v1/loyalty/passes/apple/<str:serial>.pkpass",
    "api/v1/loyalty/passes/google/<str:token>",
}  # fmt: skip
# Pages that want more than an address: a word from a mail, a second factor, DEBUG. test_pages.py goes there.
BY_HAND = {
    "dev/components/", "invitations/<str:token>", "loyalty/<str:store_code>/link/<str:token>",
    "loyalty/<str:store_code>/open/<str:token>", "u/<str:token>", "accounts/2fa/authenticate/",
    "accounts/2fa/totp/activate/", "accounts/2fa/totp/deactivate/", "accounts/2fa/recovery-codes/",
    "accounts/2fa/recovery-codes/generate/",
}  # fmt: skip
ADMIN_DOORS = {
    "login/", "logout/", "password_change/", "password_change/done/", "autocomplete/", "jsi18n/",
    "r/<path:content_type_id>/<path:object_id>/", "loyalty/merchants/<uuid:merchant_id>/look/end",
}  # fmt: skip
# One model of the admin whose every kind of page is seen; of the others the list and a row.
EVERY_KIND = (User,)


@dataclass(frozen=True)
class Face:
    """A person with a browser: who they are in the table, under which addresses, and their cookies."""

    name: str
    browser: Client
    who: tuple[str, ...]
    under: tuple[str, ...] = ("",)
    ids: dict[str, Any] = field(default_factory=dict)

    def patterns(self) -> Iterator[str]:
        """Yield the addresses that this person may open."""
        for pattern, route in sweep.routes(*self.who):
            if "GET" in route.methods and pattern.startswith(self.under) and pattern not in (*NO_PAGE, "^"):
                yield pattern

    def pages(self, under: tuple[str, ...] = ("",)) -> dict[str, str]:
        """Return the addresses that answer with a page of their own, each with its pattern."""
        found: dict[str, str] = {}
        for pattern in filter(lambda pattern: pattern.startswith(under), self.patterns()):
            path = sweep.address(pattern, self.ids)
            answer = self.browser.get(path, headers={"Accept-Language": "en"})
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                found[path] = pattern
        return found

    def cookies(self, url: str) -> list[dict[str, str]]:
        """Return the cookies for a real browser."""
        return [{"name": name, "value": one.value, "url": url} for name, one in self.browser.cookies.items()]


def faces(house: House) -> dict[str, Face]:
    """Return the four kinds of people, the customer also before there is a card."""
    ids = {**house.ids, **tokens(house)}
    with tenancy.scope(house.world.merchant_id):
        Store.objects.update(own_device_enabled=True)
    shown = [
        Face("visitor", Client(), (table.ANYONE, table.ACCOUNT, table.SIGNED, table.DEVELOPER), ids=ids),
        Face("customer", house.customer(), (table.CUSTOMER, table.OWN_CARD, table.ANYONE), under=SHOP, ids=ids),
        Face("owner", house.person(), (*OFFICE, table.ACCOUNT), ids=ids),
        Face("staff", house.terminal(), (table.TERMINAL_PAGE,), ids=ids),
        Face("employee", house.person(Role.STAFF), (table.PERSON, table.STORE_PAGE, table.TERMINAL_PAGE), ids=ids),
    ]
    return {face.name: face for face in shown}


def tokens(house: House) -> dict[str, Any]:
    """Return the words of addresses that come by mail or by QR, one per pattern that takes a `token`."""
    user = house.people[Role.OWNER]
    address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    return {
        "key": EmailConfirmationHMAC(address).key,
        "uidb36": user_pk_to_url_str(user),
    }


def mailed(house: House) -> list[str]:
    """Return addresses with a good token, as mails, posters and QR codes hold them."""
    world, card = house.world, house.card
    user = User.objects.get(pk=house.people[Role.OWNER].pk)
    with tenancy.scope(world.merchant_id):
        person = Customer.objects.get(pk=card.customer_id)
        invited = invitations.token_of(Invitation.objects.get(pk=house.ids["invitation_id"]))
    link = links.issue(
        merchant_id=world.merchant_id, customer=person, card_id=card.pk, purpose=LinkPurpose.CONFIRM, at=world.at
    )  # fmt: skip
    about = unsubscribes.Subscription(world.merchant_id, person.pk, Purpose.SERVICE, Channel.EMAIL)
    shop = f"/loyalty/{world.store.code}"
    return [
        f"/u/{unsubscribes.token(about)}",
        f"{shop}/link/{link}",
        f"{shop}/open/{handovers.make(merchant_id=world.merchant_id, card=card)}",
        f"/invitations/{invited}",
        f"/accounts/password/reset/key/{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}/",
    ]


def admin_paths(house: House) -> list[str]:
    """Return the admin's own pages, and for each model its list and the pages of one row."""
    own = sorted(table.ADMIN_PAGES - ADMIN_DOORS)
    found = [f"/admin{sweep.address(page, house.ids)}" for page in own]
    with tenancy.scope(house.world.merchant_id):
        rows = {model: model._default_manager.first() for model in admin.site._registry}
    for model, row in rows.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        whole = model in EVERY_KIND
        found += [base, f"{base}add/"] if whole else [base]
        if row is not None:
            found += [f"{base}{row.pk}/{rest}/" for rest in (("change", "history", "delete") if whole else ("change",))]
    return found


def desk() -> Desk:
    """Return the browser of a platform's administrator."""
    return Desk.open(headers={"Accept-Language": "en"})
