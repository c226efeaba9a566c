"""The currency of programs: the merchant's, and fixed with the first row of the ledger."""

from uuid import UUID

from core import tenancy
from loyalty.models import Program, ProgramVersion, Transaction
from loyalty.services import program_fields
from merchants.extensions import CurrencyFixed


def follow(*, merchant_id: UUID, currency: str) -> None:
    """Take the merchant's programs along to another currency; raises CurrencyFixed once the ledger has a row.

    Their current version is set straight rather than followed by a new one: nothing was booked under it yet.
    """
    with tenancy.scope(merchant_id):
        if Transaction.objects.exists():
            raise CurrencyFixed
        for program in Program.objects.select_for_update().order_by("pk"):
            program.currency = currency
            program.save(update_fields=["currency"])
            ProgramVersion.objects.filter(program=program, number=program.version).update(
                rules=program_fields.snapshot(program)
            )
