"""`manage.py create_api_key`: prints a new API key, and only the key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import tenancy
from core.errors import DomainError
from merchants.models import Merchant
from merchants.permissions import SCOPES
from stores.models import Store
from stores.services import api_keys


class Command(BaseCommand):
    """Make an API key for a POS or a script."""

    help = "Makes an API key and prints it, and only it, on standard output. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--merchant", required=True, metavar="SLUG", help="the merchant's short name")
        parser.add_argument("--store", metavar="CODE", help="bind the key to one store")
        parser.add_argument("--scopes", default=",".join(SCOPES), help="out of read,earn,redeem,manage (default: all)")
        parser.add_argument("--name", required=True, help="what the key is for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key."""
        with tenancy.platform(reason="create_api_key: find the merchant by its short name"):
            merchant = Merchant.objects.filter(slug=options["merchant"]).first()
            if merchant is None:
                raise CommandError(f"There is no merchant with the short name {options['merchant']!r}.")
            store = self._store(merchant, options["store"])
        scopes = [part.strip() for part in options["scopes"].split(",") if part.strip()]
        try:
            made = api_keys.create(
                merchant_id=merchant.pk, name=options["name"], scopes=scopes, at=timezone.now(),
                store_id=store.pk if store else None,
            )  # fmt: skip
        except DomainError as error:
            details = [str(text) for found in getattr(error, "errors", {}).values() for _code, text in found]
            raise CommandError(" ".join(details) or error.detail) from error
        self.stdout.write(made.text)

    def _store(self, merchant: Merchant, code: str | None) -> Store | None:
        if code is None:
            return None
        store = Store.objects.filter(merchant=merchant, code=code, closed_at=None).first()
        if store is None:
            raise CommandError(f"{merchant.slug} has no store with the code {code!r}.")
        return store
