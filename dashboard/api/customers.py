"""Customers over the merchant API: the list with its search, one with cards and consents, small corrections."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency
from core.api import query
from core.api.keyset import KeysetPagination
from customers.services import erasure
from dashboard.api.customer_serializers import (
    CustomerChangeSerializer,
    CustomerDetailSerializer,
    CustomerErasedSerializer,
    CustomerEraseSerializer,
    CustomerSerializer,
)
from dashboard.queries import customers as customer_queries
from dashboard.services import customers
from loyalty.queries import cards as card_queries
from merchants import permissions
from stores.api.merchant import KEY, MERCHANT, TAG, MerchantAPIView


class CustomerListView(MerchantAPIView):
    """The merchant's customers."""

    right: ClassVar = permissions.CUSTOMERS
    pagination_class = KeysetPagination
    ordering = ("-id",)

    @extend_schema(
        tags=[TAG], operation_id="merchant_customers_list", summary="List customers",
        parameters=[
            MERCHANT,
            OpenApiParameter("search", str, description="The start of a name; an e-mail address or phone number."),
            OpenApiParameter("store", str, description="Those with a card made in the store of this code."),
        ],
        responses=CustomerSerializer(many=True),
        description="The newest first. A key that is bound to a store lists those with a card made there.",
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List customers, the newest first."""
        store = query.text(request, "store")
        rows = customer_queries.listed(
            search=query.text(request, "search"),
            store_id=self.store_shown(card_queries.store_of(store) if store else None),
        )
        paginator = self.pagination_class()
        page = customer_queries.with_cards(paginator.paginate_queryset(rows, request, view=self))
        return paginator.get_paginated_response(CustomerSerializer(page, many=True).data)


class CustomerDetailView(MerchantAPIView):
    """One customer."""

    right: ClassVar = permissions.CUSTOMERS

    @extend_schema(
        tags=[TAG], operation_id="merchant_customers_get", summary="One customer", parameters=[MERCHANT],
        responses=CustomerDetailSerializer,
    )  # fmt: skip
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Return the customer with cards and consents."""
        return Response(_shown(customer_id))

    @extend_schema(
        tags=[TAG], operation_id="merchant_customers_update", summary="Put a customer's data right",
        parameters=[MERCHANT, KEY], request=CustomerChangeSerializer, responses=CustomerDetailSerializer,
        description="Name and language, and whose own card it is. Addresses and consents only the customer changes.",
    )  # fmt: skip
    def patch(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Change what is sent."""
        customer_queries.require(customer_id)
        data = self.read(CustomerChangeSerializer)

        def run() -> tuple[int, Any, Any]:
            customers.correct(
                merchant_id=self.merchant_id, customer_id=customer_id, at=timezone.now(), actor_id=self.actor_id,
                changes=data,
            )  # fmt: skip
            return 200, None, None

        kept = self.once("merchant.customers.update", run).headers
        replayed = {name: kept[name] for name in [idempotency.REPLAY] if name in kept}
        # Shown anew, also in a replay: what is kept under the key for a month names no person.
        return Response(_shown(customer_id), headers=replayed)


class CustomerEraseView(MerchantAPIView):
    """Erases a customer who asked in writing."""

    right: ClassVar = permissions.CUSTOMERS

    @extend_schema(
        tags=[TAG], operation_id="merchant_customers_erase", summary="Erase a customer",
        parameters=[MERCHANT, KEY], request=CustomerEraseSerializer, responses=CustomerErasedSerializer,
        description="For a customer who asks in writing; customers can do it themselves. Everything personal goes at "
        "once and for good, with all records that were merged; the cards are closed. A second time changes nothing.",
    )  # fmt: skip
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Erase the person."""
        customer_queries.require_record(customer_id)
        data = self.read(CustomerEraseSerializer)
        credential = self.credential

        def run() -> tuple[int, Any, Any]:
            done = erasure.erase(
                merchant_id=self.merchant_id, customer_id=customer_id, at=timezone.now(), reason=data["reason"],
                user_id=self.actor_id, api_key_id=credential.id if credential.kind == "api_key" else None,
            )  # fmt: skip
            body = {"id": str(done.customer_id), "erased_at": done.erased_at, "records": done.records}
            return 200, body, body

        return self.once("merchant.customers.erase", run)


def _shown(customer_id: UUID) -> Any:
    return CustomerDetailSerializer(customer_queries.one(customer_id)).data
