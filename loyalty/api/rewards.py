"""The catalogue of rewards over the API."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import uploads
from core.api.keyset import KeysetPagination
from core.api.query import flag
from loyalty.api.base import KEY, STORE, LoyaltyAPIView
from loyalty.api.program_serializers import RewardInputSerializer, RewardSerializer
from loyalty.queries import rewards as reward_queries
from loyalty.services import reward_pictures, rewards
from merchants.permissions import READ


class RewardListView(LoyaltyAPIView):
    """The rewards of the store's program."""

    scope_required: ClassVar = {"GET": READ}
    pagination_class = KeysetPagination
    ordering = ("position", "points_cost", "id")

    @extend_schema(
        tags=["store"], operation_id="rewards_list", summary="List the rewards",
        parameters=[STORE, OpenApiParameter("is_active", bool, description="Only those on offer, or only the others.")],
        responses=RewardSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List the rewards in their order; archived ones are not shown."""
        rows = reward_queries.catalogue(self.store_program().pk)
        wanted = flag(request, "is_active")
        if wanted is not None:
            rows = rows.filter(is_active=wanted)
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(RewardSerializer(page, many=True).data)

    @extend_schema(
        tags=["store"], operation_id="rewards_create", summary="Add a reward", parameters=[STORE, KEY],
        request=RewardInputSerializer, responses={201: RewardSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Add a reward to the store's program; without a position it comes last."""
        program_id = self.store_program().pk

        def run() -> tuple[int, Any]:
            reward = rewards.create(
                merchant_id=self.merchant_id, program_id=program_id, data=request.data, at=timezone.now()
            )
            return 201, RewardSerializer(reward).data

        return self.once(request, "rewards.create", run)


class RewardView(LoyaltyAPIView):
    """One reward."""

    store_needed = False

    @extend_schema(
        tags=["store"], operation_id="rewards_update", summary="Change a reward", parameters=[KEY],
        request=RewardInputSerializer(partial=True), responses=RewardSerializer,
    )  # fmt: skip
    def patch(self, request: Request, reward_id: UUID) -> HttpResponse:
        """Change some fields; rewards that were handed out keep name and price of their day."""
        reward_queries.require(reward_id)

        def run() -> tuple[int, Any]:
            reward = rewards.update(
                merchant_id=self.merchant_id, reward_id=reward_id, data=request.data, at=timezone.now()
            )
            return 200, RewardSerializer(reward).data

        return self.once(request, "rewards.update", run)

    @extend_schema(
        tags=["store"], operation_id="rewards_delete", summary="Take a reward off for good", responses={204: None}
    )
    def delete(self, request: Request, reward_id: UUID) -> HttpResponse:
        """Archive a reward that was ever handed out, delete any other."""
        rewards.remove(merchant_id=self.merchant_id, reward_id=reward_id, at=timezone.now())
        return Response(status=204)


class RewardImageView(LoyaltyAPIView):
    """The picture of a reward."""

    store_needed = False
    parser_classes = uploads.PARSERS

    @extend_schema(
        tags=["store"], operation_id="rewards_image_set", summary="Set a reward's picture",
        request={uploads.MEDIA_TYPE: uploads.ImageUploadSerializer}, responses=RewardSerializer,
        description="The picture is written anew as WebP, at most 1200 pixels a side, without anything it carried "
        "besides. The old one stays when it is refused.",
    )  # fmt: skip
    def put(self, request: Request, reward_id: UUID) -> HttpResponse:
        """Take the picture for the reward."""
        reward_queries.require(reward_id)
        reward = reward_pictures.replace(
            merchant_id=self.merchant_id, reward_id=reward_id, upload=uploads.read(request), at=timezone.now()
        )
        return Response(RewardSerializer(reward).data)

    @extend_schema(
        tags=["store"], operation_id="rewards_image_remove", summary="Remove a reward's picture",
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, reward_id: UUID) -> HttpResponse:
        """Show the reward without a picture."""
        reward_pictures.remove(merchant_id=self.merchant_id, reward_id=reward_id, at=timezone.now())
        return Response(status=204)
