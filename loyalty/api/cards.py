"""Cards over the store API: the list, one card, its history, and the look-up of a till."""

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency
from core.api import query
from core.api.keyset import KeysetPagination
from core.errors import NotFound
from loyalty.api.base import STORE, LoyaltyAPIView
from loyalty.api.card_serializers import CardSerializer
from loyalty.api.lookup_serializers import FoundCardSerializer, FoundCardsSerializer, LookupSerializer
from loyalty.api.transaction_serializers import TransactionSerializer
from loyalty.enums import CardStatus
from loyalty.queries import card_faces, history
from loyalty.queries import cards as card_queries
from loyalty.queries.card_faces import CardFace
from loyalty.services import lookups
from loyalty.services.operations import Call
from merchants.permissions import READ

MAX_RESULTS = 20


class CardListView(LoyaltyAPIView):
    """The merchant's cards."""

    scope_required: ClassVar = {"GET": READ}
    store_needed = False
    pagination_class = KeysetPagination
    ordering: tuple[str, ...] = card_queries.ORDERINGS[card_queries.DEFAULT_ORDERING]

    @extend_schema(
        tags=["store"], operation_id="cards_list", summary="List the merchant's cards",
        parameters=[
            OpenApiParameter("search", str, description="The start of a name or number; an address or phone."),
            OpenApiParameter("status", str, enum=CardStatus.values),
            OpenApiParameter("ordering", str, enum=list(card_queries.ORDERINGS)),
            OpenApiParameter("store", str, description="Cards made in the store of this code."),
        ],
        responses=CardSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List cards, those used last first."""
        self.ordering = card_queries.ORDERINGS[
            query.choice(request, "ordering", card_queries.ORDERINGS, card_queries.DEFAULT_ORDERING)
        ]
        store = query.text(request, "store")
        rows = card_queries.listed(
            search=query.text(request, "search"),
            status=query.choice(request, "status", CardStatus.values) or None,
            store_id=card_queries.store_of(store) if store else None,
        )
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, view=self)
        context = {"masked": not self.access.sees_customers}
        shown = CardSerializer(card_faces.faces(page, timezone.now()), many=True, context=context)
        return paginator.get_paginated_response(shown.data)


class CardView(LoyaltyAPIView):
    """One card."""

    scope_required: ClassVar = {"GET": READ}
    store_needed = False

    @extend_schema(tags=["store"], operation_id="cards_get", summary="One card", responses=CardSerializer)
    def get(self, request: Request, card_id: UUID) -> Response:
        """Return the card with its rewards."""
        return Response(CardSerializer(_face(card_id), context={"masked": not self.access.sees_customers}).data)


class CardTransactionsView(LoyaltyAPIView):
    """The history of one card."""

    scope_required: ClassVar = {"GET": READ}
    store_needed = False
    pagination_class = KeysetPagination
    ordering = ("-seq",)

    @extend_schema(
        tags=["store"], operation_id="cards_transactions_list", summary="A card's history",
        responses=TransactionSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, card_id: UUID) -> Response:
        """List the ledger rows of the card, the newest first."""
        card_queries.require(card_id)
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(history.of_card(card_id), request, view=self)
        return paginator.get_paginated_response(TransactionSerializer(history.entries(page), many=True).data)


class CardLookupView(LoyaltyAPIView):
    """What a till shows of a card: who it is, masked, and what can be done now."""

    scope_required: ClassVar = {"POST": READ}

    @extend_schema(
        tags=["store"], operation_id="cards_lookup", summary="Find a card at the till", parameters=[STORE],
        request=LookupSerializer,
        responses=PolymorphicProxySerializer(
            "CardLookup", [FoundCardSerializer, FoundCardsSerializer], resource_type_field_name=None
        ),
        description="By `qr_code`, `card_number` or `card_id`: the card with `can`. By `query`: `{results: [card…]}`.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Find a card by exactly one of qr_code, card_number, card_id and query."""
        form = LookupSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        [(kind, value)] = form.validated_data.items()
        if kind == "query":
            return Response(_results(value))
        card_id = card_queries.by_reference(kind, value)
        if card_id is None:
            raise NotFound
        face = _face(card_id)
        cheapest = face.catalogue[0].pk if face.catalogue else None
        found = lookups.can(self._call(), card_id=card_id, cheapest=cheapest)
        return Response(FoundCardSerializer(face, context={"masked": True, "can": found}).data)

    def _call(self) -> Call:
        nothing = idempotency.request(None, "lookup", "", {})
        return Call(self.credential, nothing, timezone.now(), store_code=self.store_code)


def _face(card_id: UUID) -> CardFace:
    face = card_faces.face(card_id, timezone.now())
    if face is None:
        raise NotFound
    return face


def _results(text: str) -> Any:
    rows = card_queries.listed(search=text).order_by(*card_queries.ORDERINGS[card_queries.DEFAULT_ORDERING])
    faces = card_faces.faces(rows[:MAX_RESULTS], timezone.now())
    return {"results": CardSerializer(faces, many=True, context={"masked": True}).data}
