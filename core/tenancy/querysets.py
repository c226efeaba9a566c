"""The guard in Python: a tenant table used outside a scope raises, instead of silently showing no rows."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.db import models

from core.tenancy.scope import current_merchant_id, require_scope

M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """A queryset whose evaluation and writes need an open scope; building one (and none()) does not."""

    def _check(self) -> None:
        if not self.query.is_empty():
            require_scope(self.model._meta.db_table)

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._check()
        super()._fetch_all()

    def iterator(self, chunk_size: int | None = None) -> Iterator[M]:
        """Iterate with a server-side cursor, inside a scope."""
        self._check()
        return super().iterator(chunk_size)

    def count(self) -> int:
        """Count, inside a scope."""
        self._check()
        return super().count()

    def exists(self) -> bool:
        """Tell whether there is a row, inside a scope."""
        self._check()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Aggregate, inside a scope."""
        self._check()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        """Update, inside a scope."""
        self._check()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete, inside a scope."""
        self._check()
        return super().delete()

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Insert many, inside a scope; each gets the scope's merchant when it names none."""
        require_scope(self.model._meta.db_table)
        rows = list(objs)
        for row in rows:
            fill_merchant(row)
        return super().bulk_create(rows, *args, **kwargs)


def fill_merchant(row: models.Model) -> None:
    """Give a new row the merchant of the scope when it names none; the database refuses any other one."""
    if getattr(row, "merchant_id", None) is None:
        row.merchant_id = current_merchant_id()  # type: ignore[attr-defined]


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    """The default manager of every tenant table."""

    use_in_migrations = False


class TenantScopedModel(models.Model):
    """Base of every tenant table: managers that need a scope, saves and deletes that need a scope."""

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save inside a scope, with the scope's merchant unless one is named."""
        require_scope(self._meta.db_table)
        if any(field.name in ("merchant", "merchant_id") for field in self._meta.concrete_fields):
            fill_merchant(self)
        super().save_base(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete inside a scope."""
        require_scope(self._meta.db_table)
        return super().delete(*args, **kwargs)
