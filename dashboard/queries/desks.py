"""Where a signed-in person stands: at which merchant, in which role, at which store."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from core import tenancy
from core.errors import NotFound
from loyalty.rules import timing
from merchants.enums import Role
from merchants.models import Membership, Merchant, User
from merchants.permissions import MANAGE, ROLE_SCOPES
from stores.models import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's place at a merchant: their role, the open stores, and the store of the address if it names one.

    looks_until: an administrator of the platform is here, with the merchant's consent until then, and only looks.
    """

    user: User
    merchant: Merchant
    role: str
    stores: tuple[Store, ...]
    store: Store | None = None
    looks_until: datetime | None = None

    @property
    def user_id(self) -> UUID:
        """The person's id."""
        return self.user.pk

    @property
    def time_zone(self) -> ZoneInfo:
        """The clock that this page shows: the store's, else the merchant's."""
        return timing.zone(self.store.time_zone if self.store else self.merchant.time_zone)

    def may(self, scope: str) -> bool:
        """Tell whether the role carries a scope (read, earn, redeem, manage)."""
        return scope in ROLE_SCOPES.get(self.role, frozenset())

    @property
    def may_manage(self) -> bool:
        """Whether this is an owner or a manager."""
        return self.may(MANAGE)

    @property
    def is_owner(self) -> bool:
        """Whether this is an owner."""
        return self.role == Role.OWNER

    @property
    def home_store(self) -> Store | None:
        """The store of the address, else the first one."""
        return self.store or (self.stores[0] if self.stores else None)


def merchant_of_store(code: str) -> UUID:
    """Return the merchant that a store code belongs to; raises NotFound for a code that nobody has."""
    rows = tenancy.lookup("store", code)
    if not rows:
        raise NotFound
    return UUID(str(rows[0][0]))


def merchants_of(user_id: UUID) -> list[UUID]:
    """Return the merchants a person works for, the oldest membership first."""
    return [UUID(str(row[0])) for row in tenancy.lookup("merchants_of_user", user_id)]


def load(user_id: UUID, merchant_id: UUID, store_code: str | None = None) -> Desk:
    """Return the person's desk, inside an open scope of the merchant.

    Raises NotFound when the person is not of this merchant or the store is closed: never told apart from "no such
    store". Takes two queries.
    """
    member = Membership.objects.select_related("merchant", "user").filter(user_id=user_id, is_active=True).first()
    if member is None:
        raise NotFound
    stores, store = _stores(store_code)
    return Desk(user=member.user, merchant=member.merchant, role=member.role, stores=stores, store=store)


def for_looks(user: User, until: datetime, store_code: str | None = None) -> Desk:
    """Return the desk of an administrator who looks, inside an open scope of the merchant: what a manager sees.

    Raises NotFound for a store that is closed or another merchant's. Takes two queries.
    """
    stores, store = _stores(store_code)
    merchant = Merchant.objects.get()
    return Desk(user=user, merchant=merchant, role=Role.MANAGER, stores=stores, store=store, looks_until=until)


def _stores(store_code: str | None) -> tuple[tuple[Store, ...], Store | None]:
    stores = tuple(Store.objects.filter(closed_at__isnull=True).order_by("created_at", "id"))
    store = next((store for store in stores if store.code == store_code), None)
    if store_code is not None and store is None:
        raise NotFound
    return stores, store


def stores_of(user_id: UUID) -> list[Desk]:
    """Return a desk for each merchant of a person, for the page that lets them choose."""
    found = []
    for merchant_id in merchants_of(user_id):
        with tenancy.scope(merchant_id):
            found.append(load(user_id, merchant_id))
    return found
