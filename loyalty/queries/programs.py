"""Reads of programs: which one a store runs."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from loyalty.models import Program, StoreProgram


def for_store(store_id: UUID) -> Program | None:
    """Return the program a store runs, its own or else the merchant's default; None when there is neither.

    One query, with the merchant (its colour is the card's where the program has none). Needs an open scope.
    """
    own = Exists(StoreProgram.objects.filter(store_id=store_id, program_id=OuterRef("pk")))
    found: Program | None = (
        Program.objects.annotate(own=own).filter(Q(own=True) | Q(is_default=True))
        .select_related("merchant").order_by("-own").first()
    )  # fmt: skip
    return found


def runs_its_own(store_id: UUID) -> bool:
    """Tell whether a store has a program of its own, so that it does not follow the merchant's default."""
    return bool(StoreProgram.objects.filter(store_id=store_id).exists())
