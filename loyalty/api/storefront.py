"""The customer's API: join, see the card, see its history."""

from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import idempotency, tenancy
from core.api.keyset import KeysetPagination
from core.api.throttling import StorefrontThrottle
from core.errors import NotAuthenticated, NotFound
from core.web import client_address, counted_address, user_agent
from customers.enums import Channel, Purpose
from loyalty import card_cookie, extensions
from loyalty.api import authentication
from loyalty.api.authentication import CardAuthentication, CardHolder
from loyalty.api.card_serializers import CardSerializer
from loyalty.api.storefront_serializers import EnrolledSerializer, EnrollSerializer, OwnCardSerializer
from loyalty.api.transaction_serializers import TransactionSerializer
from loyalty.models import Card
from loyalty.queries import access, card_faces, history, storefronts
from loyalty.queries.card_faces import CardFace
from loyalty.services import cards, limits

STORE_CODE = OpenApiParameter(
    "store_code", str, description="Which card, where a browser keeps cards of several programs."
)
KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="1–128 characters, optional.")


class StorefrontAPIView(APIView):
    """A view for the holder of a card; `self.holder` is proven, ids only."""

    authentication_classes = [CardAuthentication]
    throttle_classes = [StorefrontThrottle]

    @property
    def holder(self) -> CardHolder:
        """The holder of the card; raises NotAuthenticated without one."""
        if not isinstance(self.request.auth, CardHolder):
            raise NotAuthenticated
        return self.request.auth


class EnrollView(APIView):
    """Makes a card. The answer never tells whether an address was known."""

    authentication_classes = []
    throttle_classes = [StorefrontThrottle]

    @extend_schema(
        tags=["storefront"], operation_id="storefront_enroll", summary="Join", parameters=[KEY],
        request=EnrollSerializer,
        responses={201: EnrolledSerializer, 200: EnrolledSerializer}, auth=[],
        description="Join the program of a store. 200 with the same card for a caller who holds one already.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Enrol, or answer the card that the caller holds already."""
        proven = authentication.from_header(request)
        form = EnrollSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        merchant_id, store_id = find_store(data["store_code"])
        own = _own_card(request, proven, merchant_id, store_id)
        if own is not None:
            return Response(own, status=200)
        limits.count_enrollment(address=counted_address(request), store_id=store_id)
        key = request.headers.get("Idempotency-Key")
        asked = idempotency.request(key, "enroll", request.path, request.data)
        answer = idempotency.once(merchant_id, asked, lambda: _enroll(request, merchant_id, store_id, data))
        if answer.replayed:
            return Response(
                _with_secret(merchant_id, answer.body), status=answer.status, headers={idempotency.REPLAY: "true"}
            )  # fmt: skip
        return Response(answer.body, status=answer.status)


class CardView(StorefrontAPIView):
    """The holder's card."""

    @extend_schema(
        tags=["storefront"], operation_id="storefront_card_get", summary="The own card", parameters=[STORE_CODE],
        responses=OwnCardSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the card as it stands."""
        holder = self.holder
        with tenancy.scope(holder.merchant_id):
            face = face_of(holder)
            wallet = {**face.wallet, **extensions.wallet_links(face.card)}
            return Response({**CardSerializer(face).data, "wallet": wallet})


class TransactionsView(StorefrontAPIView):
    """The history of the holder's card, the newest first."""

    pagination_class = KeysetPagination
    ordering = ("-seq",)

    @extend_schema(
        tags=["storefront"], operation_id="storefront_transactions_list", summary="The own history",
        parameters=[STORE_CODE], responses=TransactionSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return a page of ledger rows."""
        holder = self.holder
        with tenancy.scope(holder.merchant_id):
            if not access.is_alive(holder.card_id):
                raise NotAuthenticated
            paginator = self.pagination_class()
            page = paginator.paginate_queryset(history.of_card(holder.card_id), request, view=self)
            return paginator.get_paginated_response(TransactionSerializer(history.entries(page), many=True).data)


def find_store(store_code: str) -> tuple[Any, Any]:
    """Return (merchant id, store id) of a code; raises NotFound."""
    found = tenancy.lookup("store", store_code.replace("\x00", ""))
    if not found:
        raise NotFound
    return found[0]


def face_of(holder: CardHolder) -> CardFace:
    """Return the holder's card in the open scope; raises NotAuthenticated when it is erased."""
    face = card_faces.face(holder.card_id, timezone.now())
    if face is None or face.card.customer.erased_at is not None:
        raise NotAuthenticated
    return face


def _own_card(request: Request, proven: CardHolder | None, merchant_id: Any, store_id: Any) -> dict[str, Any] | None:
    """Return the answer for a caller who holds a card of the store's program already."""
    with tenancy.scope(merchant_id):
        program = storefronts.load(store_id).program
        if program is None:
            return None
        kept = card_cookie.read(request._request, program.pk) if proven is None else None
        holder = proven or (authentication.holder_of(kept) if kept else None)
        if holder is None or holder.merchant_id != merchant_id:
            return None
        found = card_faces.face(holder.card_id, timezone.now())
        if found is None or not access.opens(found.card, program.pk):
            return None
        if proven is None:
            authentication.enforce_csrf(request)
        return _shown(found, holder.secret)


def _enroll(request: Request, merchant_id: Any, store_id: Any, data: dict[str, Any]) -> tuple[int, Any, Any]:
    now = timezone.now()
    contact: dict[str, Any] = {field: data.get(field) or "" for field in ("name", "email", "phone", "birthday")}
    nobody_chose = getattr(request._request, "language_is_default", False)
    made = cards.enroll(
        merchant_id=merchant_id, store_id=store_id, at=now, **contact,
        language=data.get("language") or ("" if nobody_chose else get_language() or ""),
        consents={
            (Purpose.SERVICE, Channel.EMAIL): data["service_email_consent"],
            (Purpose.MARKETING, Channel.EMAIL): data["marketing_email_consent"],
            (Purpose.MARKETING, Channel.SMS): data["marketing_sms_consent"],
        },
        idempotency_key=request.headers.get("Idempotency-Key"),
        ip=client_address(request), user_agent=user_agent(request),
    )  # fmt: skip
    face = card_faces.face(made.card.pk, now)
    if face is None:
        raise NotFound
    body = _shown(face, made.access_secret)
    return 201, body, {**body, "access_secret": None}


def _with_secret(merchant_id: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Put the secret back into a stored answer: it is derived, never stored."""
    with tenancy.scope(merchant_id):
        return {**body, "access_secret": access.secret_of(Card.objects.get(pk=body["card"]["id"]))}


def _shown(face: CardFace, secret: str) -> dict[str, Any]:
    return {
        "card": CardSerializer(face).data,
        "access_secret": secret,
        "wallet": dict(extensions.wallet_links(face.card)),
    }
