"""The customer's API about their rights: take everything away, erase everything."""

from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core import tenancy
from core.errors import NotAuthenticated, NotFound
from loyalty import card_cookie
from loyalty.api import takeaway as document
from loyalty.api.storefront import STORE_CODE, StorefrontAPIView
from loyalty.api.storefront_rights_serializers import ErasedSerializer, EraseSerializer, TakeawaySerializer
from loyalty.queries import takeaway
from loyalty.services import erasure


class ExportView(StorefrontAPIView):
    """Everything that is held of the customer, as a file."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Take any Accept header: a browser's link asks for a page, and the file is JSON."""
        return JSONRenderer(), "application/json"

    @extend_schema(
        tags=["storefront"], operation_id="storefront_export", summary="Take all own data away",
        parameters=[STORE_CODE],
        responses={200: OpenApiResponse(TakeawaySerializer, description="The document, as an attachment.")},
        description="Everything that the business holds of the customer: what they told, consents with their evidence, "
        "mails and links to confirmed addresses, and each card with its rewards and its whole history, explained. Of "
        "merged records, too. "
        "Streamed; times are RFC 3339 in UTC, money is in minor units.",
    )  # fmt: skip
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream the document."""
        holder, at = self.holder, timezone.now()
        with tenancy.scope(holder.merchant_id):
            found = takeaway.whole(holder.card_id, at)
        if found is None:
            raise NotAuthenticated
        language = get_language() or found.person.language
        response = StreamingHttpResponse(
            document.stream(found, at=at, language=language), content_type="application/json"
        )  # fmt: skip
        response["Content-Disposition"] = f'attachment; filename="{found.merchant.slug}-{at:%Y-%m-%d}.json"'
        response["Cache-Control"] = "no-store, private"
        return response


class EraseView(StorefrontAPIView):
    """Erases everything personal."""

    @extend_schema(
        tags=["storefront"], operation_id="storefront_erase", summary="Erase all own data", parameters=[STORE_CODE],
        request=EraseSerializer, responses=ErasedSerializer,
        description="Erase the person behind the card: name, addresses, birthday, devices and notes go at once and for "
        "good, with all records that were merged; the cards are closed, their codes and secrets open nothing any more "
        "(a second call is 401). The ledger stays under a random id and names nobody. Consents stay without their "
        "address, as evidence.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Erase it."""
        holder = self.holder
        form = EraseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            done = erasure.erase_holder(merchant_id=holder.merchant_id, card_id=holder.card_id, at=timezone.now())
        except NotFound:
            raise NotAuthenticated from None
        response = Response({"erased_at": done.erased_at}, headers={"Cache-Control": "no-store"})
        for cookie in card_cookie.names_of(request._request, holder.secret):
            response.delete_cookie(cookie, path="/", samesite="Lax")
        return response
