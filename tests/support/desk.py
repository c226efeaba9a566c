"""The desk of a platform's administrator: a signed-in browser with a second factor, and its actions with reasons."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models
from django.test import Client
from django.urls import reverse

from core import tenancy
from core.models import AuditEntry
from merchants.models import User

WHY = "ticket 4711"


class Desk(Client):
    """An administrator's browser."""

    user: User

    @classmethod
    def open(cls, *, superuser: bool = True, second_factor: bool = True, **options: Any) -> "Desk":
        """Sign an administrator in."""
        desk = cls(**options)
        number = User.objects.count()
        desk.user = User.objects.create_user(
            f"desk{number}@platform.example", "a-long-password", is_staff=True, is_superuser=superuser
        )
        if second_factor:
            Authenticator.objects.create(user=desk.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        desk.force_login(desk.user, backend="django.contrib.auth.backends.ModelBackend")
        return desk

    def ask(self, action: str, *rows: models.Model, **data: Any) -> Any:
        """Choose an action for some rows: the page that asks why."""
        chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], **data}
        return self.post(address(type(rows[0]), "changelist"), chosen)

    def act(self, action: str, *rows: models.Model, reason: str = WHY, **data: Any) -> Any:
        """Choose an action and say why."""
        return self.ask(action, *rows, confirmed="1", reason=reason, **data)

    def browse(self, model: type[models.Model], **query: Any) -> Any:
        """Open a list."""
        return self.get(address(model, "changelist"), query)

    def found(self, model: type[models.Model], term: str) -> list[Any]:
        """Return the keys of the rows that a search finds."""
        answer = self.browse(model, q=term)
        assert answer.status_code == 200, answer.get("Location")
        return [row.pk for row in answer.context["cl"].result_list]

    def row(self, row: models.Model) -> Any:
        """Open the page of a row."""
        return self.get(address(type(row), "change", row.pk))


def address(model: type[models.Model], page: str, *args: Any) -> str:
    """Return the address of a page of the admin."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def audit(action: str) -> list[AuditEntry]:
    """Return what was audited, the oldest first."""
    with tenancy.platform(reason="test"):
        return list(AuditEntry.objects.filter(action=action).order_by("id"))
