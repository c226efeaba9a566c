"""The merchant's stores over the merchant API: listed, opened, changed, closed."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.keyset import KeysetPagination
from core.errors import NotFound
from merchants import permissions
from stores.api.merchant import KEY, MERCHANT, TAG, MerchantAPIView
from stores.api.store_serializers import StoreChangeSerializer, StoreInputSerializer, StoreSerializer
from stores.models import Store
from stores.queries import stores as store_queries
from stores.services import stores


class StoreListView(MerchantAPIView):
    """The open stores."""

    right: ClassVar = permissions.STORES
    pagination_class = KeysetPagination
    ordering = ("created_at", "id")

    @extend_schema(
        tags=[TAG], operation_id="merchant_stores_list", summary="List the stores", parameters=[MERCHANT],
        responses=StoreSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List the open stores, the oldest first."""
        return self.page(request, store_queries.open_stores(), StoreSerializer)

    @extend_schema(
        tags=[TAG], operation_id="merchant_stores_create", summary="Open a store", parameters=[MERCHANT, KEY],
        request=StoreInputSerializer, responses={201: StoreSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Open a store; `store_limit_reached` when the platform allows no further one."""
        data = self.read(StoreInputSerializer)

        def run() -> tuple[int, Any, Any]:
            made = stores.open_store(merchant_id=self.merchant_id, at=timezone.now(), actor_id=self.actor_id, **data)
            body = StoreSerializer(made).data
            return 201, body, body

        return self.once("merchant.stores.create", run)


class StoreDetailView(MerchantAPIView):
    """One open store."""

    right: ClassVar = permissions.STORES

    @extend_schema(
        tags=[TAG], operation_id="merchant_stores_get", summary="One store", parameters=[MERCHANT],
        responses=StoreSerializer,
    )  # fmt: skip
    def get(self, request: Request, store_id: UUID) -> HttpResponse:
        """Return the store."""
        return Response(StoreSerializer(_store(store_id)).data)

    @extend_schema(
        tags=[TAG], operation_id="merchant_stores_update", summary="Change a store", parameters=[MERCHANT, KEY],
        request=StoreChangeSerializer, responses=StoreSerializer,
    )  # fmt: skip
    def patch(self, request: Request, store_id: UUID) -> HttpResponse:
        """Change what is sent; the code stays."""
        data = self.read(StoreChangeSerializer, context={"store": _store(store_id)})
        data.pop("code", None)

        def run() -> tuple[int, Any, Any]:
            changed = stores.update(
                merchant_id=self.merchant_id, store_id=store_id, at=timezone.now(), actor_id=self.actor_id, **data
            )
            body = StoreSerializer(changed).data
            return 200, body, body

        return self.once("merchant.stores.update", run)

    @extend_schema(
        tags=[TAG], operation_id="merchant_stores_close", summary="Close a store", parameters=[MERCHANT, KEY],
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, store_id: UUID) -> HttpResponse:
        """Close the store for good: its pages, posters and terminals end, its cards stay good in the others."""

        def run() -> tuple[int, Any, Any]:
            stores.close(
                merchant_id=self.merchant_id, store_id=store_id, at=timezone.now(), actor_id=self.actor_id
            )  # fmt: skip
            return 204, None, None

        return self.once("merchant.stores.close", run)


def _store(store_id: UUID) -> Store:
    found = store_queries.open_stores().filter(pk=store_id).first()
    if found is None:
        raise NotFound
    return found
