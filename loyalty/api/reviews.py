"""What tills kept and could not book: the list, and a manager's decision."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import tenancy
from core.api.keyset import KeysetPagination
from core.api.serializers import StrictCharField, StrictSerializer
from core.errors import ValidationFailed
from core.web import client_address, user_agent
from loyalty.api.base import STORE
from loyalty.enums import Channel, ReviewState
from loyalty.models import ReviewItem
from loyalty.queries import cards
from loyalty.queries import reviews as review_queries
from loyalty.services import reviews
from loyalty.services.reviews import Decider
from merchants.permissions import MANAGE
from stores.api.base import StoreAPIView
from stores.queries import access as access_queries


class ReviewPlaceSerializer(serializers.Serializer):
    """A store, by code and name."""

    code = serializers.CharField()
    name = serializers.CharField()


class ReviewNamedSerializer(serializers.Serializer):
    """A person or a till, by id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class ReviewCardSerializer(serializers.Serializer):
    """A card, by id and number."""

    id = serializers.UUIDField()
    card_number = serializers.CharField()


class ReviewSerializer(serializers.ModelSerializer):
    """An item: what was to be done, why it was refused, what became of it."""

    body = serializers.DictField(help_text="The operation's fields as they were sent, without PIN and session.")
    facts = serializers.DictField(help_text="What the refusal said besides its code.")
    store = ReviewPlaceSerializer(allow_null=True)
    staff = ReviewNamedSerializer(source="staff_pin", allow_null=True)
    terminal = ReviewNamedSerializer(allow_null=True)
    card = ReviewCardSerializer(allow_null=True)
    transaction_id = serializers.UUIDField(allow_null=True)
    resolved_by = serializers.UUIDField(source="resolved_by_id", allow_null=True)

    class Meta:
        model = ReviewItem
        fields = (
            "id", "key", "op", "body", "code", "facts", "state", "occurred_at", "received_at", "store", "staff",
            "terminal", "card", "transaction_id", "resolved_by", "resolved_at", "note",
        )  # fmt: skip
        read_only_fields = fields


class AcceptInput(StrictSerializer):
    """POST reviews/{id}/accept."""

    note = StrictCharField(required=False, default="", allow_blank=True, max_length=reviews.LONGEST_NOTE)


class DismissInput(StrictSerializer):
    """POST reviews/{id}/dismiss."""

    note = StrictCharField(max_length=reviews.LONGEST_NOTE)


class ReviewListView(StoreAPIView):
    """GET reviews."""

    store_needed = False
    pagination_class = KeysetPagination
    ordering = ("-received_at", "-id")

    @extend_schema(
        operation_id="reviews_list", tags=["store"], responses=ReviewSerializer(many=True),
        parameters=[
            STORE, OpenApiParameter("state", str, enum=ReviewState.values),
            OpenApiParameter("store", str, description="Of one store, by its code."),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List what tills kept and could not book, the newest first."""
        state = request.query_params.get("state")
        if state is not None and state not in ReviewState.values:
            raise ValidationFailed.of("state", "invalid_choice", _("This is not one of the choices."))
        code = request.query_params.get("store")
        store_id = cards.store_of(code.replace("\x00", "")) if code is not None else None
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(
            review_queries.listed(state=state, store_id=store_id), request, view=self
        )  # fmt: skip
        return paginator.get_paginated_response(ReviewSerializer(page, many=True).data)


class DecisionView(StoreAPIView):
    """A manager's decision about one item; outside of any scope, since booking is an operation."""

    in_scope = False
    input_class: type[StrictSerializer]

    @property
    def needed_scope(self) -> str:
        """Deciding is managing, also in a browser that is a till as well."""
        return MANAGE

    def read(self, request: Request, review_id: UUID) -> dict[str, Any]:
        """Return the body; what comes before a bad one is raised first."""
        with tenancy.scope(self.credential.merchant_id):
            access_queries.load(self.credential, self.store_code, store_needed=False).require(MANAGE)
            review_queries.one(review_id)
        body = self.input_class(data=request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def decider(self, request: Request) -> Decider:
        """Describe who decides."""
        return Decider(
            credential=self.credential, at=timezone.now(), ip=client_address(request), user_agent=user_agent(request),
            channel=Channel.DASHBOARD if self.credential.kind == "user" else "",
        )  # fmt: skip

    def shown(self, item: ReviewItem, status: int) -> Response:
        """Answer with the item as it stands now."""
        with tenancy.scope(self.credential.merchant_id):
            return Response(ReviewSerializer(item).data, status=status)


class ReviewAcceptView(DecisionView):
    """POST reviews/{id}/accept."""

    input_class = AcceptInput

    @extend_schema(
        operation_id="reviews_accept", tags=["store"], request=AcceptInput, responses={201: ReviewSerializer},
        parameters=[STORE],
        description=(
            "Book the operation after all: at its `occurred_at`, under its own key, the manager answering for "
            "cooldown, daily limit, age and PIN. Once, however often it is sent. The item names the transaction."
        ),
    )  # fmt: skip
    def post(self, request: Request, review_id: UUID) -> Response:
        """Book it."""
        data = self.read(request, review_id)
        return self.shown(reviews.accept(self.decider(request), item_id=review_id, note=data["note"]), 201)


class ReviewDismissView(DecisionView):
    """POST reviews/{id}/dismiss."""

    input_class = DismissInput

    @extend_schema(
        operation_id="reviews_dismiss", tags=["store"], request=DismissInput, responses={200: ReviewSerializer},
        parameters=[STORE],
    )  # fmt: skip
    def post(self, request: Request, review_id: UUID) -> Response:
        """Leave it unbooked."""
        data = self.read(request, review_id)
        return self.shown(reviews.dismiss(self.decider(request), item_id=review_id, note=data["note"]), 200)
