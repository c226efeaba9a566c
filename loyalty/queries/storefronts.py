"""A store as its customers meet it: the merchant, the program that runs there, and whether one can join."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.errors import NotFound
from loyalty.enums import ProgramStatus
from loyalty.models import Program, Reward, StoreProgram
from loyalty.queries import programs
from merchants.enums import MerchantStatus
from merchants.models import Merchant, MerchantSettings
from stores.models import Store

# Late with the bill blocks new customers, and nothing else for 60 days (rule 5).
NO_NEW_CUSTOMERS = frozenset({MerchantStatus.LATE, MerchantStatus.SUSPENDED, MerchantStatus.CLOSED})

SELF_ENROLLMENT_OFF = "self_enrollment_off"
PROGRAM_NOT_ACTIVE = "program_not_active"
MERCHANT_SUSPENDED = "merchant_suspended"


@dataclass(frozen=True, slots=True)
class Storefront:
    """A store with its merchant and its program (None when the store runs none)."""

    merchant: Merchant
    store: Store
    program: Program | None
    self_enrollment: bool
    enrollment_suspended: bool = False

    def closed_reason(self, *, by_staff: bool = False) -> str | None:
        """Return why nobody can join here now, None when one can; staff may enrol where customers may not."""
        if self.merchant.status in NO_NEW_CUSTOMERS or self.enrollment_suspended:
            return MERCHANT_SUSPENDED
        if self.program is None or self.program.status != ProgramStatus.ACTIVE:
            return PROGRAM_NOT_ACTIVE
        if not by_staff and not self.self_enrollment:
            return SELF_ENROLLMENT_OFF
        return None


def load(store_id: UUID) -> Storefront:
    """Load a store that is open for business; raises NotFound for a closed one."""
    store = Store.objects.filter(pk=store_id, closed_at__isnull=True).first()
    if store is None:
        raise NotFound
    return of(store)


def of(store: Store) -> Storefront:
    """Load what belongs to a store."""
    allowed = MerchantSettings.objects.values_list("allow_self_enrollment", "enrollment_suspended").first()
    self_enrollment, suspended = allowed or (True, False)
    return Storefront(
        merchant=Merchant.objects.get(pk=store.merchant_id),
        store=store,
        program=programs.for_store(store.pk),
        self_enrollment=self_enrollment,
        enrollment_suspended=suspended,
    )


def stores_running(program: Program) -> "QuerySet[Store]":
    """Return the open stores in which a card of the program is valid."""
    links = StoreProgram.objects.filter(store_id=OuterRef("pk"))
    runs = Q(Exists(links.filter(program_id=program.pk)))
    if program.is_default:
        runs = runs | Q(~Exists(links))
    return Store.objects.filter(runs, closed_at__isnull=True).order_by("name", "id")


def catalogue(program: Program) -> list[Reward]:
    """Return the rewards that points buy, the cheapest first."""
    if not program.has_points:
        return []
    on_offer = Reward.objects.filter(program_id=program.pk, is_active=True, archived_at__isnull=True)
    return list(on_offer.order_by("points_cost", "position", "id"))
