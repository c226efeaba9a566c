"""The operations of the store API: stamp, points, their redemption, void, refund, preview. One service call each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency
from core.web import client_address, user_agent
from loyalty.api import operation_serializers as shapes
from loyalty.queries.hot import CardRef
from loyalty.services import operations, points, refunds, stamps, voids
from loyalty.services.operations import Call
from merchants.permissions import EARN, READ, REDEEM
from stores.api.base import StoreAPIView
from stores.queries.access import Access

KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=False)
STORE = OpenApiParameter("X-Store-Code", str, OpenApiParameter.HEADER, required=False)


class OperationView(StoreAPIView):
    """Reads the body, calls the operation outside of any scope, and answers; a replay keeps its status."""

    in_scope = False
    operation = ""
    input_class: type[shapes.StaffInput]
    right = EARN

    def authorize(self, access: Access) -> None:
        """Raise unless the caller may do this; only asked before a bad body is refused."""
        access.require(self.right)

    def call_of(self, request: Request) -> Call:
        """Describe who asks, and how."""
        asked = idempotency.request(self.idempotency_key, self.operation, request.path, request.data)
        return Call(
            credential=self.credential, asked=asked, at=timezone.now(), store_code=self.store_code,
            device=self.device, ip=client_address(request), user_agent=user_agent(request),
        )  # fmt: skip

    def read(self, request: Request, call: Call, card: CardRef | None = None) -> Any:
        """Read the body; what comes before a bad one in the order of refusals is raised first."""
        body = self.input_class(data=request.data)
        try:
            body.is_valid(raise_exception=True)
        except serializers.ValidationError:
            operations.check_before_body(call, self.authorize, card)
            raise
        return body

    def respond(self, answer: idempotency.Answer) -> HttpResponse:
        """Make the response of an operation."""
        return self.answer(answer)


def _documented(name: str, request: Any, answer: Any, status: int = 201) -> Callable[[Any], Any]:
    return extend_schema(
        operation_id=name, request=request, responses={status: answer}, parameters=[KEY, STORE], tags=["store"]
    )


class StampView(OperationView):
    """POST stamp."""

    operation = "stamp"
    input_class = shapes.StampInput

    @_documented("stamp", shapes.StampInput, shapes.StampAnswer)
    def post(self, request: Request) -> HttpResponse:
        """Give stamps to a card."""
        call = self.call_of(request)
        body = self.read(request, call)
        data = body.validated_data
        return self.respond(
            stamps.give(call, card=body.card(), quantity=data["quantity"], staff=body.proof(), confirm=data["confirm"])
        )


class StampRedeemView(OperationView):
    """POST stamp/redeem."""

    operation = "stamp_redeem"
    input_class = shapes.CardInput
    right = REDEEM

    @_documented("stamp_redeem", shapes.CardInput, shapes.StampRedeemAnswer)
    def post(self, request: Request) -> HttpResponse:
        """Hand out the oldest reward of full cards."""
        call = self.call_of(request)
        body = self.read(request, call)
        answer = stamps.redeem(
            call, card=body.card(), staff=body.proof(), confirm=body.validated_data["confirm"]
        )  # fmt: skip
        return self.respond(answer)


class PointsView(OperationView):
    """POST points."""

    operation = "points"
    input_class = shapes.PointsInput

    @_documented("points", shapes.PointsInput, shapes.PointsAnswer)
    def post(self, request: Request) -> HttpResponse:
        """Grant the points of a purchase, and in a hybrid program its stamp."""
        call = self.call_of(request)
        body = self.read(request, call)
        data = body.validated_data
        return self.respond(
            points.earn(
                call,
                card=body.card(),
                cents=data["purchase_amount_cents"],
                currency=data["currency"],
                order_reference=data["order_reference"],
                staff=body.proof(),
                confirm=data["confirm"],
            )
        )


class PointsRedeemView(OperationView):
    """POST points/redeem."""

    operation = "points_redeem"
    input_class = shapes.PointsRedeemInput
    right = REDEEM

    @_documented("points_redeem", shapes.PointsRedeemInput, shapes.PointsRedeemAnswer)
    def post(self, request: Request) -> HttpResponse:
        """Hand out a reward of the catalogue for its points."""
        call = self.call_of(request)
        body = self.read(request, call)
        data = body.validated_data
        return self.respond(
            points.redeem(
                call, card=body.card(), reward_id=data["reward_id"], staff=body.proof(), confirm=data["confirm"]
            )
        )


class VoidView(OperationView):
    """POST transactions/{id}/void."""

    operation = "void"
    input_class = shapes.VoidInput

    def authorize(self, access: Access) -> None:
        """Tills and keys undo what they did themselves; who manages, what others did."""
        voids.authorize(access)

    @_documented("void", shapes.VoidInput, shapes.VoidAnswer)
    def post(self, request: Request, transaction_id: UUID) -> HttpResponse:
        """Undo an operation whole."""
        call = self.call_of(request)
        body = self.read(request, call, CardRef("transaction", transaction_id))
        answer = voids.void(
            call, transaction_id=transaction_id, staff=body.proof(), reason=body.validated_data["reason"]
        )  # fmt: skip
        return self.respond(answer)


class RefundView(OperationView):
    """POST transactions/{id}/refund."""

    operation = "refund"
    input_class = shapes.RefundInput

    def authorize(self, access: Access) -> None:
        """Tills refund with a PIN; a key needs the right to manage."""
        refunds.authorize(access)

    @_documented("refund", shapes.RefundInput, shapes.RefundAnswer)
    def post(self, request: Request, transaction_id: UUID) -> HttpResponse:
        """Refund a part of a sale, or all of it."""
        call = self.call_of(request)
        body = self.read(request, call, CardRef("transaction", transaction_id))
        data = body.validated_data
        return self.respond(
            refunds.refund(
                call,
                transaction_id=transaction_id,
                cents=data["amount_cents"],
                staff=body.proof(),
                reason=data["reason"],
            )
        )


class PreviewView(OperationView):
    """POST preview."""

    operation = "preview"
    input_class = shapes.PreviewInput
    right = READ

    @extend_schema(
        operation_id="preview", request=shapes.PreviewInput, responses={200: dict}, parameters=[STORE], tags=["store"]
    )
    def post(self, request: Request) -> HttpResponse:
        """Return what an operation would answer, without doing it."""
        call = self.call_of(request)
        body = self.read(request, call)
        data, card = body.validated_data, body.card()
        if data["op"] == "stamp":
            return Response(stamps.preview(call, card=card, quantity=data["quantity"]))
        if data["op"] == "points":
            cents = data["purchase_amount_cents"]
            return Response(points.preview(call, card=card, cents=cents, currency=data["currency"]))
        if "reward_id" in data:
            return Response(points.preview_redeem(call, card=card, reward_id=data["reward_id"]))
        return Response(stamps.preview_redeem(call, card=card))
