"""Terminals over the merchant API: a pairing code shown once, the list, another name, signing one out."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api.keyset import KeysetPagination
from core.errors import NotFound, PermissionDenied
from merchants import permissions
from stores.api.device_serializers import (
    PairingInputSerializer,
    PairingSerializer,
    RenameSerializer,
    TerminalSerializer,
)
from stores.api.merchant import KEY, MERCHANT, TAG, MerchantAPIView
from stores.models import Store
from stores.queries import addresses, devices
from stores.queries import stores as store_queries
from stores.services import terminals


class DeviceView(MerchantAPIView):
    """What views of terminals and keys share: a store named by the caller."""

    def store_named(self, reference: str) -> Store:
        """Return the open store of a code or id; raises NotFound.

        A key bound to a store reaches no other one by what it makes: PermissionDenied.
        """
        store = store_queries.by_reference(reference)
        bound = self.bound_store_id
        if bound is not None and store.pk != bound:
            raise PermissionDenied
        return store


class TerminalListView(DeviceView):
    """The paired devices."""

    right: ClassVar = permissions.TERMINALS
    pagination_class = KeysetPagination
    ordering = ("-paired_at", "-id")

    @extend_schema(
        tags=[TAG], operation_id="merchant_terminals_list", summary="List paired devices", parameters=[MERCHANT],
        responses=TerminalSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List the devices in use, paired last first."""
        return self.page(request, devices.terminals(), TerminalSerializer)

    @extend_schema(
        tags=[TAG], operation_id="merchant_terminals_pair", summary="Make a pairing code", parameters=[MERCHANT, KEY],
        request=PairingInputSerializer, responses={201: PairingSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Make a code for one device, good for 15 minutes and shown this once."""
        data = self.read(PairingInputSerializer)

        def run() -> tuple[int, Any, Any]:
            store = self.store_named(data.get("store") or str(self.access.store_or_refuse().id))
            made = terminals.make_pairing_code(
                merchant_id=self.merchant_id, store_id=store.pk, name=data["name"], user_id=self.maker_id,
                at=timezone.now(),
            )  # fmt: skip
            facts = {"name": made.name, "store": store, "code": made.code, "expires_at": made.expires_at}
            body = PairingSerializer({**facts, "pair_url": addresses.pairing()}).data
            return 201, body, {**body, "code": None}

        return self.once("merchant.terminals.pair", run)


class TerminalDetailView(DeviceView):
    """One paired device."""

    right: ClassVar = permissions.TERMINALS

    @extend_schema(
        tags=[TAG], operation_id="merchant_terminals_update", summary="Rename a device", parameters=[MERCHANT, KEY],
        request=RenameSerializer, responses=TerminalSerializer,
    )  # fmt: skip
    def patch(self, request: Request, terminal_id: UUID) -> HttpResponse:
        """Give the device another name."""
        terminal = devices.terminals().filter(pk=terminal_id).first()
        if terminal is None:
            raise NotFound
        data = self.read(RenameSerializer)

        def run() -> tuple[int, Any, Any]:
            name = data.get("name", terminal.name)
            row = terminals.rename(
                merchant_id=self.merchant_id, terminal_id=terminal_id, name=name, at=timezone.now(),
                actor_id=self.actor_id,
            )  # fmt: skip
            body = TerminalSerializer(row).data
            return 200, body, body

        return self.once("merchant.terminals.update", run)

    @extend_schema(
        tags=[TAG], operation_id="merchant_terminals_revoke", summary="Sign a device out", parameters=[MERCHANT, KEY],
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, terminal_id: UUID) -> HttpResponse:
        """Take the device out of use at once."""

        def run() -> tuple[int, Any, Any]:
            terminals.revoke(
                merchant_id=self.merchant_id, terminal_id=terminal_id, at=timezone.now(), actor_id=self.actor_id
            )
            return 204, None, None

        return self.once("merchant.terminals.revoke", run)
