"""Who signs in to the back office, and in which role."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import DomainError, NotFound
from dashboard.forms.team import ROLE_WORDS
from dashboard.queries import people
from dashboard.views import frame
from dashboard.views.base import MerchantView
from merchants.enums import Role
from merchants.services import team


class Team(MerchantView):
    """The list, with roles to change for those who may."""

    template_name = "dashboard/team.html"
    section = "staff"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the team."""
        return self.page(
            members=people.team(),
            invited=people.invited(at=timezone.now()),
            role_words=[str(ROLE_WORDS[role]) for role in Role],
            roles=[(value, label) for value, label in Role.choices if self.desk.is_owner or value != Role.OWNER],
            subpages=frame.staff_pages(self.desk, "dashboard:team"),
        )


class TeamRole(MerchantView):
    """Give somebody another role."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Change the role, or say why not."""
        try:
            team.change_role(
                merchant_id=self.merchant_id,
                membership_id=kwargs["membership_id"],
                role=self.request.POST.get("role", ""),
                actor_id=self.actor_id,
                at=timezone.now(),
            )
        except NotFound:
            raise
        except DomainError as error:
            return self.back("team", error=error)
        return self.to("team", text=_("The role is changed."))


class TeamRemove(MerchantView):
    """Ask, then end somebody's access."""

    template_name = "dashboard/confirm.html"
    section = "staff"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        member = next((member for member in people.team() if member.id == kwargs["membership_id"]), None)
        if member is None:
            raise NotFound
        return self.page(
            title=_("End %(name)s's access?") % {"name": member.name},
            text=_("They can no longer open these pages, at once. Their account with other businesses stays."),
            action=_("End the access"),
            back_url=reverse("dashboard:team"),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """End it, or say why not."""
        try:
            team.remove(
                merchant_id=self.merchant_id,
                membership_id=kwargs["membership_id"],
                actor_id=self.actor_id,
                at=timezone.now(),
            )
        except NotFound:
            raise
        except DomainError as error:
            return self.back("team", error=error)
        return self.to("team", text=_("The access is ended."))
