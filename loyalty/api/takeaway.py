"""Writes everything that is held of a person as one JSON document, piece by piece: its size costs no memory."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation

from core.idempotency import AnswerEncoder
from customers.models import Customer
from loyalty.api.storefront_rights_serializers import (
    FORMAT,
    EvidenceSerializer,
    OwnLinkSerializer,
    OwnMailSerializer,
    OwnRewardSerializer,
)
from loyalty.api.transaction_serializers import TransactionSerializer
from loyalty.queries import takeaway
from loyalty.queries.card_faces import CardFace
from loyalty.queries.export_people import birthday
from loyalty.queries.takeaway import Line, Whole

BLOCK = 50


def stream(found: Whole, *, at: datetime, language: str) -> Iterator[bytes]:
    """Yield the document in UTF-8. It runs after the request is over: scopes and the language are its own.

    language: of the explanations. It is set for each piece and taken back, since the server's thread serves others.
    """
    pieces = _document(found, at)
    while True:
        with translation.override(language):
            block = "".join(piece for _number, piece in zip(range(BLOCK), pieces, strict=False))
        if not block:
            return
        yield block.encode()


def record(who: Customer) -> dict[str, Any]:
    """Return a record as the document holds it."""
    return {
        "id": who.pk, "name": who.name or None, "email": who.email or None, "email_confirmed_at": who.confirmed_at,
        "pending_email": who.pending_email or None, "phone": who.phone or None, "birthday": birthday(who) or None,
        "language": who.language, "works_here": who.staff_pin_id is not None, "created_at": who.created_at,
    }  # fmt: skip


def _document(found: Whole, at: datetime) -> Iterator[str]:
    merchant = found.merchant
    head = {
        "format": FORMAT, "made_at": at,
        "controller": {
            "name": merchant.name, "legal_name": merchant.legal_name or None, "country": merchant.country,
        },
        "profile": record(found.person), "earlier_profiles": [record(who) for who in found.earlier],
    }  # fmt: skip
    yield _json(head)[:-1]
    yield from _list("consents", (EvidenceSerializer(row).data for row in found.consents))
    yield from _list("mails", (OwnMailSerializer(row).data for row in found.mails))
    yield from _list("links", (OwnLinkSerializer(row).data for row in found.links))
    yield ', "cards": ['
    for number, face in enumerate(found.faces):
        yield ", " if number else ""
        yield from _card(face, merchant.pk)
    yield "]}\n"


def _card(face: CardFace, merchant_id: UUID) -> Iterator[str]:
    card = face.card
    head = {
        "id": card.pk, "card_number": card.card_number, "qr_code_data": card.qr_code_data, "status": card.status,
        "merged_into": card.merged_into_id,
        "program": {
            "id": card.program.pk, "name": card.program.name, "loyalty_type": card.program.loyalty_type,
        },
        "stamp_count": card.stamp_count, "stamps_target": card.stamps_target if card.program.has_stamps else None,
        "points_balance": card.points_balance, "points_debt": card.points_debt, "enrolled_at": card.enrolled_at,
        "enrolled_store": {"code": card.enrolled_store.code, "name": card.enrolled_store.name},
    }  # fmt: skip
    yield _json(head)[:-1]
    yield from _list("rewards", (OwnRewardSerializer(row).data for row in takeaway.issued(card.pk, merchant_id)))
    yield from _list("transactions", (_line(line) for line in takeaway.entries(card.pk, merchant_id)))
    yield "}"


def _line(line: Line) -> dict[str, Any]:
    detail = line.detail
    device = {"ip": detail.ip, "user_agent": detail.user_agent} if detail is not None else None
    return {**TransactionSerializer(line.entry).data, "device": device}


def _list(name: str, items: Iterable[Any]) -> Iterator[str]:
    yield f', "{name}": ['
    for number, item in enumerate(items):
        yield f"{', ' if number else ''}{_json(item)}"
    yield "]"


def _json(value: Any) -> str:
    return json.dumps(value, cls=AnswerEncoder, ensure_ascii=False)
