"""The figures of the store and the merchant over the API."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.queries import figures
from loyalty.api.base import STORE, LoyaltyAPIView
from loyalty.api.program_serializers import StatsSerializer
from loyalty.rules import timing
from merchants.permissions import READ


class StatsView(LoyaltyAPIView):
    """What was given and what is there."""

    scope_required: ClassVar = {"GET": READ}

    @extend_schema(
        tags=["store"], operation_id="stats", summary="Figures of store and merchant", parameters=[STORE],
        responses=StatsSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the figures as of now."""
        store = self.access.store_or_refuse()
        found = figures.now(store.id, timing.business_date(timezone.now(), store.time_zone, store.day_start))
        return Response(StatsSerializer(found).data)
