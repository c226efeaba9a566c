"""Staff give on the customer's own phone: the card is proved by the phone, the staff member by a PIN typed on it.

For shops without a till of their own, switched on per store. It always asks for a PIN. A wrong one counts on the card
and on the address that sent it, never on a staff member: nobody outside can lock a shop (rule 21).
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core import idempotency
from core.errors import DomainError
from loyalty.queries.hot import CardRef
from loyalty.services import operations, points, stamps
from loyalty.services.operations import Call, StaffProof
from merchants.permissions import EARN
from stores.queries.access import Access, Credential
from stores.services import pins


class OwnDeviceOff(DomainError):
    """The store does not give stamps or points on customers' phones."""

    code = "own_device_off"
    message = _("Stamps and points are given at the till here.")


@dataclass(frozen=True, slots=True)
class Phone:
    """A customer's phone in a store: which card it has proved, and where it is. address: as limits count it."""

    merchant_id: UUID
    card_id: UUID
    store_code: str
    at: datetime
    address: str
    ip: str | None = None
    user_agent: str = ""

    def call(self, asked: idempotency.Request) -> Call:
        """Describe the call."""
        return Call(
            credential=Credential("card", self.merchant_id, self.card_id), asked=asked, at=self.at,
            store_code=self.store_code, ip=self.ip, user_agent=self.user_agent,
            through=(pins.Subject("address", _hidden(self.address)),),
        )  # fmt: skip


def stamp(phone: Phone, asked: idempotency.Request, *, pin: str, confirm: bool = False) -> idempotency.Answer:
    """Give one stamp; 201 as stamps.give. Outside of any scope.

    Raises OwnDeviceOff, StaffPinInvalid, StaffPinLocked and what stamps.give raises.
    """
    operation = stamps.giving(CardRef("card_id", phone.card_id), 1, StaffProof(pin=pin), confirm)
    operation.authorize = authorize
    return operations.perform(phone.call(asked), operation)


def earn(
    phone: Phone, asked: idempotency.Request, *, cents: int, pin: str, confirm: bool = False
) -> idempotency.Answer:  # fmt: skip
    """Grant the points of a purchase, in a hybrid program with its stamp; 201 as points.earn. Outside of any scope.

    Raises OwnDeviceOff, StaffPinInvalid, StaffPinLocked and what points.earn raises.
    """
    operation = points.earning(CardRef("card_id", phone.card_id), cents, "", "", StaffProof(pin=pin), confirm)
    operation.authorize = authorize
    return operations.perform(phone.call(asked), operation)


def authorize(access: Access) -> None:
    """Raise OwnDeviceOff where the store does not want it; no PIN is looked at then."""
    access.require(EARN)
    if not access.store_or_refuse().own_device_enabled:
        raise OwnDeviceOff


def _hidden(address: str) -> UUID:
    """Return an id that stands for an address in the counters, so that they hold no address."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"own-device" + address.encode(), hashlib.sha256).digest()
    return UUID(bytes=digest[:16])
