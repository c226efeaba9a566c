"""What loyalty's views of the store API share: who acts, writes that run once per key, the store's program."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core import idempotency
from core.errors import NotFound
from loyalty.models import Program
from loyalty.queries import programs as program_queries
from stores.api.base import STORE_HEADER, StoreAPIView

STORE = OpenApiParameter(
    STORE_HEADER, str, OpenApiParameter.HEADER, description="The store's code; needed where there are several."
)  # fmt: skip
KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="1–128 characters, optional.")


class LoyaltyAPIView(StoreAPIView):
    """A plain endpoint of the store API, inside the merchant's scope."""

    @property
    def merchant_id(self) -> UUID:
        """The merchant."""
        return self.credential.merchant_id

    @property
    def actor_id(self) -> UUID | None:
        """The person who acts, None for a script or a till."""
        return self.credential.id if self.credential.kind == "user" else None

    def store_program(self) -> Program:
        """Return the program of the store; raises NotFound when it runs none."""
        program = program_queries.for_store(self.access.store_or_refuse().id)
        if program is None:
            raise NotFound
        return program

    def once(self, request: Request, operation: str, run: Callable[[], tuple[int, Any]]) -> HttpResponse:
        """Run a write once per Idempotency-Key; `run` returns (status, body). The key also remembers the store."""
        place = self.access.store.code if self.access.store else ""
        asked = idempotency.request(self.idempotency_key, operation, f"{request.path}@{place}", request.data)

        def kept() -> tuple[int, Any, Any]:
            status, body = run()
            return status, body, body

        answer = idempotency.once(self.merchant_id, asked, kept)
        return self.answer(answer)
