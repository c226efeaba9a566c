"""The public API: what everyone may know of the program of a store."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import tenancy
from core.api.throttling import StorefrontThrottle
from core.errors import NotFound
from loyalty.api.storefront import find_store
from loyalty.api.storefront_serializers import PublicProgramSerializer
from loyalty.models import Program, Reward
from loyalty.queries import storefronts
from loyalty.queries.storefronts import Storefront
from loyalty.rules.programs import show_rate
from loyalty.services.cards import CLOSED

MERCHANT_FACTS = ("name", "trade", "currency", "default_language", "card_color")


class ProgramView(APIView):
    """The program that a store runs."""

    authentication_classes = []
    throttle_classes = [StorefrontThrottle]

    @extend_schema(
        tags=["public"], operation_id="public_program_get", summary="The program of a store",
        responses=PublicProgramSerializer, auth=[],
    )  # fmt: skip
    def get(self, request: Request, store_code: str) -> Response:
        """Return the program, the merchant's face and whether one can join."""
        merchant_id, store_id = find_store(store_code)
        with tenancy.scope(merchant_id):
            place = storefronts.load(store_id)
            if place.program is None:
                raise NotFound
            return Response(PublicProgramSerializer(_shown(place, place.program)).data)


def _shown(place: Storefront, program: Program) -> dict[str, Any]:
    merchant, reason = place.merchant, place.closed_reason()
    return {
        **{name: getattr(program, name) for name in ("id", "name", "status", "loyalty_type", "currency", "ends_on")},
        "stamps_target": program.stamps_target if program.has_stamps else None,
        "stamps_reward_description": program.stamps_reward_description if program.has_stamps else None,
        "points_per_euro": (
            show_rate(program.points_per_euro_num, program.points_per_euro_den) if program.has_points else None
        ),
        "welcome_bonus_points": program.welcome_bonus_points if program.has_points else None,
        "minimum_purchase_cents": program.minimum_purchase_cents if program.has_points else None,
        "card_color": program.card_color or merchant.card_color,
        "terms": program.terms or {},
        "rewards": [_reward(reward) for reward in storefronts.catalogue(program)],
        "store": {"code": place.store.code, "name": place.store.name},
        "merchant": {
            **{name: getattr(merchant, name) for name in MERCHANT_FACTS},
            "logo_url": merchant.logo.url if merchant.logo else None,
        },
        "enrollment": {
            "open": reason is None,
            "reason": reason,
            "detail": str(CLOSED[reason]) if reason else None,
            "url": f"{settings.SITE_URL}/loyalty/{place.store.code}/enroll",
        },
    }


def _reward(reward: Reward) -> dict[str, Any]:
    return {
        **{name: getattr(reward, name) for name in ("id", "name", "description", "points_cost")},
        "image_url": reward.image.url if reward.image else None,
    }
