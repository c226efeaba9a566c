"""Devices at the till: a pairing code, shown once, the list, and signing one out."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import NotFound
from dashboard.forms.staff import TerminalForm
from dashboard.forms.tills import DiscardForm
from dashboard.queries import devices
from dashboard.views import frame, pairing
from dashboard.views.base import FormMixin, StoreView
from stores.services import terminals


class TerminalsPage(StoreView):
    """Devices of one store."""

    section = "staff"
    chooser_to = "dashboard:terminals"


class Terminals(TerminalsPage):
    """The list."""

    template_name = "dashboard/terminals.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the devices of this store."""
        return self.page(
            terminals=devices.terminals(self.store.pk),
            subpages=frame.staff_pages(self.desk, "dashboard:terminals"),
        )


class TerminalNew(FormMixin, TerminalsPage):
    """Make a pairing code and show it."""

    template_name = "dashboard/form_page.html"
    form_class = TerminalForm

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            "title": _("Pair a device"),
            "text": _("A phone, a tablet or the till's own browser. It stays signed in until you sign it out here."),
            "action": _("Make a code"),
            "back_url": reverse("dashboard:terminals", args=[self.code]),
        }

    def save(self, form: TerminalForm) -> HttpResponseBase:
        """Make the code; it is on this answer only."""
        made = terminals.make_pairing_code(
            merchant_id=self.merchant_id,
            store_id=self.store.pk,
            name=form.cleaned_data["name"],
            user_id=self.actor_id,
            at=timezone.now(),
        )
        return self.page("dashboard/terminal_pairing.html", pairing=pairing.shown(made))


class TerminalRevoke(TerminalsPage):
    """Ask, then sign a device out."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        terminal = devices.terminals(self.store.pk, only=kwargs["terminal_id"])
        if not terminal:
            raise NotFound
        return self.page(
            title=_("Sign out “%(name)s”?") % {"name": terminal[0].name},
            text=_(
                "The device can do nothing more at once. What it has saved without a connection stays on it until a "
                "manager decides there."
            ),
            action=_("Sign it out"),
            back_url=reverse("dashboard:terminals", args=[self.code]),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Revoke and go back."""
        gone = terminals.revoke(
            merchant_id=self.merchant_id,
            terminal_id=kwargs["terminal_id"],
            actor_id=self.actor_id,
            at=timezone.now(),
        )
        return self.to("terminals", self.code, text=_("“%(name)s” is signed out.") % {"name": gone.name})


class TerminalsDiscard(TerminalsPage):
    """A manager at a till throws away what another pairing saved there: the till asks, the audit keeps what and why."""

    http_method_names = ["post", "options"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Note it; the till forgets its queue when it has this answer."""
        form = DiscardForm(self.request.POST)
        if not form.is_valid():
            errors = [
                {"field": name, "code": error.code or "invalid", "detail": " ".join(error.messages)}
                for name, found in form.errors.as_data().items()
                for error in found
            ]
            return JsonResponse({"code": "validation_error", "errors": errors}, status=400)
        terminals.note_discarded(
            merchant_id=self.merchant_id,
            store_id=self.store.pk,
            actor_id=self.actor_id,
            reason=form.cleaned_data["reason"],
            items=form.cleaned_data["items"],
        )
        return HttpResponse(status=204)
