"""Foreign keys between tenant tables: the constraint spans (merchant_id, id), so no row can point at another tenant's.

PostgreSQL checks foreign keys with row-level security off; a plain key would accept a foreign tenant's id. Django's
own constraint is therefore left out and `TenantTable` (operations.py) adds the composite one.
"""

from typing import Any

from django.db import models


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A many-to-one key inside one tenant."""

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        # Every look-up begins with the tenant: an index of this column alone would only slow the writes.
        kwargs.setdefault("db_index", False)
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)


class TenantOneToOneField(models.OneToOneField):  # type: ignore[type-arg]
    """A one-to-one key inside one tenant."""

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)
