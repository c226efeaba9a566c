"""A manager's corrections over the store API: adjust a balance, freeze a card, merge two, and the ways back."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core import idempotency
from core.errors import NotFound
from loyalty.api import correction_serializers as shapes
from loyalty.api.base import KEY, STORE, LoyaltyAPIView
from loyalty.api.card_serializers import CardSerializer
from loyalty.api.operations import OperationView
from loyalty.models import Card, CardMerge
from loyalty.queries import card_faces
from loyalty.queries import cards as card_queries
from loyalty.queries.hot import CardRef
from loyalty.services import adjustments, freezing, merges
from loyalty.services.cards import CHANNELS
from merchants.permissions import MANAGE
from stores.queries.access import Access


class AdjustView(OperationView):
    """POST cards/{id}/adjust."""

    operation = "adjust"
    input_class = shapes.AdjustInput
    right = MANAGE

    def authorize(self, access: Access) -> None:
        """Who manages may adjust."""
        adjustments.authorize(access)

    @extend_schema(
        tags=["store"], operation_id="cards_adjust", summary="Put a balance right by hand",
        request=shapes.AdjustInput, responses={201: shapes.AdjustAnswer}, parameters=[KEY, STORE],
        description="Never below zero; stamps up to the target issue its reward. Works on a frozen card, too.",
    )  # fmt: skip
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Add stamps or points, or take them off."""
        call = self.call_of(request)
        body = self.read(request, call, CardRef("card_id", card_id))
        data = body.validated_data
        answer = adjustments.adjust(
            call, card_id=card_id, stamps_delta=data["stamps_delta"], points_delta=data["points_delta"],
            reason=data["reason"], staff=body.proof(),
        )  # fmt: skip
        return self.respond(answer)


class CorrectionView(LoyaltyAPIView):
    """A plain correction of one card: the card of the address, then the body, then one service call, once per key."""

    scope_required: ClassVar = {"POST": MANAGE}
    store_needed = False
    input_class: type[shapes.ReasonInput] = shapes.ReasonInput
    operation = ""

    def correct(self, request: Request, card_id: UUID) -> HttpResponse:
        """Read the request and do it once."""
        idempotency.request(self.idempotency_key, self.operation, request.path, {})
        card_queries.require(card_id)
        body = self.input_class(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, self.operation, lambda: self.run(card_id, body.validated_data))

    def run(self, card_id: UUID, data: dict[str, Any]) -> tuple[int, Any]:
        """Call the service; returns (status, body)."""
        raise NotImplementedError

    def who(self) -> dict[str, Any]:
        """Return who asks, as services take it."""
        return {"user_id": self.actor_id, "api_key_id": self.credential.id if self.actor_id is None else None}

    def where(self) -> dict[str, Any]:
        """Return through what it comes, for the ledger."""
        store = self.access.store
        return {
            "channel": CHANNELS[self.credential.kind], "store_id": store.id if store else None,
            "key": self.idempotency_key,
        }  # fmt: skip


class FreezeView(CorrectionView):
    """POST cards/{id}/freeze."""

    operation = "freeze"

    @extend_schema(
        tags=["store"], operation_id="cards_freeze", summary="Freeze a card", request=shapes.ReasonInput,
        responses={200: CardSerializer}, parameters=[KEY, STORE],
        description="No earning, no redeeming. 409 `card_not_active` when it is not in use.",
    )  # fmt: skip
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Freeze it."""
        return self.correct(request, card_id)

    def run(self, card_id: UUID, data: dict[str, Any]) -> tuple[int, Any]:
        """Freeze; the answer is the card."""
        card = freezing.freeze(
            merchant_id=self.merchant_id, card_id=card_id, reason=data["reason"], at=timezone.now(), **self.who()
        )
        return 200, _shown(card)


class UnfreezeView(CorrectionView):
    """POST cards/{id}/unfreeze."""

    operation = "unfreeze"

    @extend_schema(
        tags=["store"], operation_id="cards_unfreeze", summary="Let a frozen card go on", request=shapes.ReasonInput,
        responses={200: CardSerializer}, parameters=[KEY, STORE],
        description="409 `status_change_refused` when it is in use, `card_not_active` when it was closed or merged.",
    )  # fmt: skip
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Unfreeze it."""
        return self.correct(request, card_id)

    def run(self, card_id: UUID, data: dict[str, Any]) -> tuple[int, Any]:
        """Unfreeze; the answer is the card."""
        card = freezing.unfreeze(
            merchant_id=self.merchant_id, card_id=card_id, reason=data["reason"], at=timezone.now(), **self.who()
        )
        return 200, _shown(card)


class MergeView(CorrectionView):
    """POST cards/{id}/merge."""

    operation = "merge"
    input_class = shapes.MergeInput

    @extend_schema(
        tags=["store"], operation_id="cards_merge", summary="Merge a card into another one",
        request=shapes.MergeInput, responses={201: shapes.MergeSerializer}, parameters=[KEY, STORE],
        description=(
            "Balances and ready rewards go to `into`, whose program is the same (else 400); the codes of both work. "
            "It can be undone for 30 days."
        ),
    )  # fmt: skip
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Merge it."""
        return self.correct(request, card_id)

    def run(self, card_id: UUID, data: dict[str, Any]) -> tuple[int, Any]:
        """Merge; the answer is the merge with the card that goes on."""
        made = merges.merge(
            merchant_id=self.merchant_id, card_id=card_id, into_id=data["into"], reason=data["reason"],
            at=timezone.now(), **self.who(), **self.where(),
        )  # fmt: skip
        return 201, _merge(made, made.target_id)


class UnmergeView(CorrectionView):
    """POST cards/{id}/unmerge."""

    operation = "unmerge"

    @extend_schema(
        tags=["store"], operation_id="cards_unmerge", summary="Take a merge back",
        request=shapes.ReasonInput, responses={201: shapes.MergeSerializer}, parameters=[KEY, STORE],
        description=(
            "The card gets back what it brought, as far as it is there; what was spent since stays spent. 409 "
            "`card_not_active` when it was not merged or the other card is not in use, `void_window_closed` after "
            "30 days."
        ),
    )  # fmt: skip
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Take it back."""
        return self.correct(request, card_id)

    def run(self, card_id: UUID, data: dict[str, Any]) -> tuple[int, Any]:
        """Take the merge back; the answer is the merge with the card that came back."""
        made = merges.unmerge(
            merchant_id=self.merchant_id, card_id=card_id, reason=data["reason"], at=timezone.now(), **self.who(),
            **self.where(),
        )  # fmt: skip
        return 201, _merge(made, made.source_id)


def _face(card_id: UUID) -> card_faces.CardFace:
    face = card_faces.face(card_id, timezone.now())
    if face is None:
        raise NotFound
    return face


def _shown(card: Card) -> Any:
    return dict(CardSerializer(_face(card.pk)).data)


def _merge(made: CardMerge, card_id: UUID) -> Any:
    fresh = CardMerge.objects.select_related("source", "target").get(pk=made.pk)
    return dict(shapes.MergeSerializer(fresh, context={"face": _face(card_id)}).data)
