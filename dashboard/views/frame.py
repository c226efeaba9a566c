"""What stands around every page of a merchant: navigation, store chooser, account, banner."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.templatetags.ui import localdate
from dashboard.forms import presets
from dashboard.queries.desks import Desk
from loyalty.rules import expiry
from merchants.enums import Role

# section, address, words, icon; the first three are the tabs of a phone.
STORE_PAGES: tuple[tuple[str, str, Promise, str], ...] = (
    ("home", "dashboard:home", _("Home"), "home"),
    ("stats", "dashboard:stats", _("Statistics"), "stats"),
    ("cards", "dashboard:cards", _("Cards"), "card"),
    ("rewards", "dashboard:rewards", _("Rewards"), "gift"),
    ("stores", "dashboard:stores", _("Stores"), "store"),
    ("staff", "dashboard:staff", _("Staff & devices"), "people"),
    ("settings", "dashboard:settings", _("Settings"), "settings"),
)
MERCHANT_WIDE = frozenset({
    "dashboard:stores", "dashboard:team", "dashboard:api_keys", "dashboard:export", "dashboard:wallets",
    "dashboard:support",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation, the store chooser or the row of sub pages."""

    url: str
    label: str
    icon: str = ""
    active: bool = False


def context(desk: Desk, request: HttpRequest, *, section: str, chooser_to: str) -> dict[str, Any]:
    """Return the context of components/dashboard_base.html."""
    home = desk.home_store
    return {
        "desk": desk,
        "merchant": desk.merchant,
        "trade_icon": presets.icon(desk.merchant.trade),
        "store": desk.store,
        "nav": _navigation(desk, section),
        "terminal_url": f"/store/{home.code}/loyalty/terminal" if home and desk.looks_until is None else "",
        "stores": _chooser(desk, chooser_to),
        "store_label": _store_label(desk),
        "account": {"name": desk.user.get_full_name(), "role": _role(desk)},
        "banner": _banner(desk),
    }


def address(name: str, desk: Desk) -> str:
    """Return the address of a page: of the desk's store, or of the merchant as a whole."""
    if name in MERCHANT_WIDE or desk.home_store is None:
        return reverse(name)
    return reverse(name, args=[desk.home_store.code])


def sub_pages(desk: Desk, active: str, *pages: tuple[str, str]) -> list[Entry]:
    """Return the row of sub pages of a section: (name of the address, words). Without a store only the merchant's."""
    reachable = [page for page in pages if page[0] in MERCHANT_WIDE or desk.home_store is not None]
    return [Entry(address(name, desk), words, active=name == active) for name, words in reachable]


def staff_pages(desk: Desk, active: str) -> list[Entry]:
    """Return the sub pages of "Staff & devices"."""
    return sub_pages(
        desk,
        active,
        ("dashboard:staff", gettext("Staff")),
        ("dashboard:terminals", gettext("Terminals")),
        ("dashboard:reviews", gettext("To look at")),
        ("dashboard:team", gettext("Team")),
        ("dashboard:api_keys", gettext("API keys")),
    )


def settings_pages(desk: Desk, active: str) -> list[Entry]:
    """Return the sub pages of "Settings"."""
    return sub_pages(
        desk,
        active,
        ("dashboard:settings", gettext("Program")),
        ("dashboard:branding", gettext("Looks")),
        ("dashboard:posters", gettext("Poster")),
        ("dashboard:wallets", gettext("Wallets")),
        ("dashboard:export", gettext("Export")),
        ("dashboard:support", gettext("Support")),
    )


def _navigation(desk: Desk, section: str) -> list[Entry]:
    if desk.home_store is None:
        return []
    pages = STORE_PAGES if desk.may_manage else STORE_PAGES[:1]
    return [Entry(address(name, desk), str(words), icon, key == section) for key, name, words, icon in pages]


def _chooser(desk: Desk, chooser_to: str) -> list[Entry]:
    if len(desk.stores) < 2:
        return []
    return [
        Entry(reverse(chooser_to, args=[store.code]), store.name, active=store == desk.store) for store in desk.stores
    ]


def _store_label(desk: Desk) -> str:
    if desk.store is not None:
        return desk.store.name
    if len(desk.stores) == 1:
        return desk.stores[0].name
    return gettext("All stores") if desk.stores else ""


def _role(desk: Desk) -> str:
    return str(Role(desk.role).label) if desk.looks_until is None else gettext("Looks only")


def _banner(desk: Desk) -> dict[str, str] | None:
    """Say what an unpaid bill stops: new cards and messages at once, the rest after 60 days (rule 5)."""
    merchant = desk.merchant
    if merchant.status not in expiry.STOPPED or not desk.may_manage:
        return None
    stops = merchant.status_since + expiry.GRACE
    if expiry.is_stopped(merchant.status, merchant.status_since, timezone.now()):
        text = gettext("Cards rest until the bill is settled. Nothing on them is lost, and your data stays yours.")
        return {"text": text, "tone": "bad"}
    text = gettext(
        "New cards and messages are paused until the bill is settled. Stamps, points and rewards go on until %(day)s."
    )
    return {"text": text % {"day": localdate(stops, "long")}, "tone": "warn"}
