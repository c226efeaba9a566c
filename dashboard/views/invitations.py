"""Invitations to the team: sent, sent again, taken back."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import DomainError, NotFound
from dashboard.forms.team import InviteForm
from dashboard.queries import people
from dashboard.views.base import FormMixin, MerchantView
from merchants.services import invitations


class Invite(FormMixin, MerchantView):
    """Invite somebody."""

    template_name = "dashboard/form_page.html"
    section = "staff"

    def get_form(self, data: Any = None) -> InviteForm:
        """Make the form with the roles that this person may give."""
        return InviteForm(data, may_invite_owners=self.desk.is_owner)

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            "title": _("Invite somebody"),
            "text": _("For people who sign in here. Who works at the till only needs a PIN, not an invitation."),
            "action": _("Send the invitation"),
            "back_url": reverse("dashboard:team"),
        }

    def save(self, form: InviteForm) -> HttpResponseBase:
        """Send it."""
        made = invitations.invite(
            merchant_id=self.merchant_id, acting_role=self.desk.role, actor_id=self.actor_id, at=timezone.now(),
            **form.cleaned_data,
        )  # fmt: skip
        return self.to("team", text=_("An invitation is on its way to %(email)s.") % {"email": made.email})


class InvitationResend(MerchantView):
    """Send an invitation again."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it, or say why not."""
        try:
            row = invitations.resend(
                merchant_id=self.merchant_id, invitation_id=kwargs["invitation_id"], acting_role=self.desk.role,
                actor_id=self.actor_id, at=timezone.now(),
            )  # fmt: skip
        except NotFound:
            raise
        except DomainError as error:
            return self.back("team", error=error)
        return self.to(
            "team", text=_("Sent again to %(email)s. The earlier link no longer works.") % {"email": row.email}
        )


class InvitationRevoke(MerchantView):
    """Ask, then take an invitation back."""

    template_name = "dashboard/confirm.html"
    section = "staff"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        found = next((row for row in people.invited(at=timezone.now()) if row.id == kwargs["invitation_id"]), None)
        if found is None:
            raise NotFound
        return self.page(
            title=_("Take the invitation to %(email)s back?") % {"email": found.email},
            text=_("The link in the mail stops working at once. You can invite the person again at any time."),
            action=_("Take it back"),
            back_url=reverse("dashboard:team"),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Take it back, or say why not."""
        try:
            invitations.revoke(
                merchant_id=self.merchant_id, invitation_id=kwargs["invitation_id"], acting_role=self.desk.role,
                actor_id=self.actor_id, at=timezone.now(),
            )  # fmt: skip
        except NotFound:
            raise
        except DomainError as error:
            return self.back("team", error=error)
        return self.to("team", text=_("The invitation is taken back."))
