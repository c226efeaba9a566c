"""What tills kept and could not book: the list, and a manager's decision."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core import idempotency, tenancy
from core.api.keyset import KeysetPagination
from core.api.serializers import StrictCharField, StrictSerializer
from core.db import pipeline
from core.errors import PermissionDenied, ValidationFailed
from core.web import client_address, user_agent
from loyalty.api.base import KEY, STORE
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
    def get(self, request: Request) -> HttpResponse:
        """List what tills kept and could not book, the newest first; a caller of one store sees its own."""
        state = request.query_params.get("state")
        if state is not None and state not in ReviewState.values:
            raise ValidationFailed.of("state", "invalid_choice", _("This is not one of the choices."))
        code = request.query_params.get("store")
        store_id = cards.store_of(code.replace("\x00", "")) if code is not None else None
        found = review_queries.listed(state=state, store_id=store_id)
        if self.access.is_bound:
            found = found.filter(store_id=self.access.store_or_refuse().id)
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(found, request, view=self)
        return paginator.get_paginated_response(ReviewSerializer(page, many=True).data)


class DecisionView(StoreAPIView):
    """A manager's decision about one item; outside of any scope, since booking is an operation."""

    in_scope = False
    operation = ""
    input_class: type[StrictSerializer]

    @property
    def needed_scope(self) -> str:
        """Deciding is managing, also in a browser that is a till as well."""
        return MANAGE

    def read(self, request: Request, review_id: UUID) -> tuple[dict[str, Any], idempotency.Request]:
        """Return the body and the request for its key; what comes before a bad one is raised first."""
        with tenancy.scope(self.credential.merchant_id):
            access = access_queries.load(self.credential, self.store_code, store_needed=False)
            access.require(MANAGE)
            item = review_queries.one(review_id)
            if access.is_bound and item.store_id not in (None, access.store_or_refuse().id):
                raise PermissionDenied
        body = self.input_class(data=request.data)
        body.is_valid(raise_exception=True)
        asked = idempotency.request(self.idempotency_key, self.operation, request.path, request.data)
        if asked.key == item.key:  # it is the till's own, for the booking
            raise idempotency.IdempotencyKeyReused
        return dict(body.validated_data), asked

    def decider(self, request: Request) -> Decider:
        """Describe who decides."""
        return Decider(
            credential=self.credential, at=timezone.now(), store_code=self.store_code, ip=client_address(request),
            user_agent=user_agent(request), channel=Channel.DASHBOARD if self.credential.kind == "user" else "",
        )  # fmt: skip

    def respond(self, asked: idempotency.Request, status: int, decide: Callable[[], ReviewItem]) -> HttpResponse:
        """Decide once per key, and answer with the item as it stands then."""

        def run() -> tuple[int, Any, Any]:
            body = ReviewSerializer(decide()).data
            return status, body, body

        answer = idempotency.once(self.credential.merchant_id, asked, run)
        return self.answer(answer)

    def replay(self, asked: idempotency.Request) -> HttpResponse | None:
        """Return the answer that is stored under the key; raises the conflicts of keys."""
        if asked.key is None:
            return None
        with tenancy.scope(self.credential.merchant_id), pipeline() as line:
            queued = idempotency.queue_check(line, self.credential.merchant_id, asked.key)
        answer = idempotency.settle(asked, *queued)
        return self.answer(answer) if answer is not None else None


class ReviewAcceptView(DecisionView):
    """POST reviews/{id}/accept."""

    operation = "review_accept"
    input_class = AcceptInput

    @extend_schema(
        operation_id="reviews_accept", tags=["store"], request=AcceptInput, responses={201: ReviewSerializer},
        parameters=[KEY, STORE],
        description=(
            "Book the operation after all: at its `occurred_at`, under its own key, the manager answering for "
            "cooldown, daily limit, age and PIN. Once, however often it is sent. The item names the transaction."
        ),
    )  # fmt: skip
    def post(self, request: Request, review_id: UUID) -> HttpResponse:
        """Book it."""
        data, asked = self.read(request, review_id)
        stored = self.replay(asked)
        if stored is not None:
            return stored
        item = reviews.accept(self.decider(request), item_id=review_id, note=data["note"])
        return self.respond(asked, 201, lambda: item)


class ReviewDismissView(DecisionView):
    """POST reviews/{id}/dismiss."""

    operation = "review_dismiss"
    input_class = DismissInput

    @extend_schema(
        operation_id="reviews_dismiss", tags=["store"], request=DismissInput, responses={200: ReviewSerializer},
        parameters=[KEY, STORE],
    )  # fmt: skip
    def post(self, request: Request, review_id: UUID) -> HttpResponse:
        """Leave it unbooked."""
        data, asked = self.read(request, review_id)
        by = self.decider(request)
        return self.respond(asked, 200, lambda: reviews.dismiss(by, item_id=review_id, note=data["note"]))
