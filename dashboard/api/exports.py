"""The merchant's files over the API: streamed, so that their size costs no memory."""

from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from core import csv
from dashboard.services import exports
from merchants.models import Merchant
from stores.api.merchant import MERCHANT, TAG, MerchantAPIView

ABOUT = (
    "UTF-8 with a byte order mark, RFC 4180; columns as the API names the fields. Texts that a spreadsheet would take "
    "for a formula begin with an apostrophe. Every export is noted in the audit. A key that is bound to a store takes "
    "that store's: cards made there, transactions done there, customers with a card made there."
)
OWNERS = f"{ABOUT} For owners, and keys that an owner or the platform made."
FILE = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="The file.")}
STORE = OpenApiParameter("store", str, description="A store's code.")
PERIOD = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first business day."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last business day."),
]


class ExportView(MerchantAPIView):
    """What the three files share."""

    kind: ClassVar[str]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Take any Accept header: the file is CSV, and what goes wrong is a problem document."""
        return JSONRenderer(), "application/json"

    def file(self, request: Request) -> StreamingHttpResponse:
        """Stream the file; its rows are read after this view's own scope is closed."""
        at, credential = timezone.now(), self.credential
        wanted = exports.read(self.kind, request.query_params)
        wanted = wanted.at_store(self.store_shown(wanted.filters.store_id))
        body = exports.start(
            merchant_id=self.merchant_id, wanted=wanted, role=self.acting_role, at=at, actor_id=self.actor_id,
            api_key_id=credential.id if credential.kind == "api_key" else None,
        )  # fmt: skip
        slug = Merchant.objects.values_list("slug", flat=True).get(pk=self.merchant_id)
        return csv.response(exports.file_name(slug, self.kind, at), body)


class CardsExportView(ExportView):
    """Every card."""

    kind = "cards"

    @extend_schema(
        tags=[TAG], operation_id="merchant_export_cards", summary="All cards as a file", description=OWNERS,
        parameters=[MERCHANT, STORE], responses=FILE,
    )  # fmt: skip
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream the cards with their holders and balances; `?store=`: those made there."""
        return self.file(request)


class TransactionsExportView(ExportView):
    """Every ledger row."""

    kind = "transactions"

    @extend_schema(
        tags=[TAG], operation_id="merchant_export_transactions", summary="All transactions as a file",
        description=f"{ABOUT} Managers name a period of at most 366 days; the whole ledger is for owners.",
        parameters=[MERCHANT, STORE, *PERIOD], responses=FILE,
    )  # fmt: skip
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream the ledger, which names no customer."""
        return self.file(request)


class CustomersExportView(ExportView):
    """Every customer."""

    kind = "customers"

    @extend_schema(
        tags=[TAG], operation_id="merchant_export_customers", summary="All customers as a file", description=OWNERS,
        parameters=[MERCHANT], responses=FILE,
    )  # fmt: skip
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream the customers and what they agreed to; those who were erased are gone."""
        return self.file(request)
