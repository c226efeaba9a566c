"""The merchant's report of a period over the API: what the statistics page shows, from the rollups alone."""

from datetime import time
from typing import ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import query
from core.errors import NotFound, PermissionDenied
from dashboard.api.analytics_serializers import AnalyticsSerializer, body
from dashboard.queries import analytics, periods
from loyalty.rules import timing
from merchants import permissions
from stores.api.merchant import MERCHANT, TAG, MerchantAPIView
from stores.models import ApiKey, Store

LONGEST_CODE = 100


class AnalyticsView(MerchantAPIView):
    """What happened in a period, who came, and what stands at its end."""

    right: ClassVar = permissions.ANALYTICS

    @extend_schema(
        tags=[TAG], operation_id="merchant_analytics", summary="The report of a period",
        description=(
            "Read from figures that are counted by business day (the store's own), at most a minute behind the tills: "
            "`as_of` says how far. At most 400 days; without dates the four weeks up to today."
        ),
        parameters=[
            MERCHANT,
            OpenApiParameter("from", OpenApiTypes.DATE, description="The first business day."),
            OpenApiParameter("to", OpenApiTypes.DATE, description="The last business day, included."),
            OpenApiParameter("store", str, description="A store's code: only what happened there."),
        ],
        responses=AnalyticsSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the report; a key that is bound to a store sees that store's."""
        store = self.store_wanted(request)
        zone = store.time_zone if store else self.access.merchant.time_zone
        today = timing.business_date(timezone.now(), zone, store.day_start if store else time.min)
        period = periods.read(query.text(request, "from"), query.text(request, "to"), today=today)
        report = analytics.report(period, store=store)
        # In the shape of the serializer already: writing 400 days field by field would take longer than counting them.
        return Response(body(report))

    def store_wanted(self, request: Request) -> Store | None:
        """Return the store that the report is about; raises NotFound, PermissionDenied."""
        code = str(request.query_params.get("store", "")).strip()
        bound = self.bound_store()
        if not code:
            return bound
        store = analytics.store_of(code) if len(code) <= LONGEST_CODE and "\x00" not in code else None
        if store is None:
            raise NotFound
        if bound is not None and store != bound:
            raise PermissionDenied
        return store

    def bound_store(self) -> Store | None:
        """Return the store that the caller's key is bound to."""
        if self.credential.kind != "api_key" or not self.access.is_bound:
            return None
        return ApiKey.objects.select_related("store").get(pk=self.credential.id).store
