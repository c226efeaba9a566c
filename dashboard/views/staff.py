"""Staff members and their PINs. A PIN is shown once, on the answer to the POST that made it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.forms.staff import StaffForm
from dashboard.queries import people
from dashboard.views import frame
from dashboard.views.base import FormMixin, StoreView
from stores.services import staff


class StaffPage(StoreView):
    """Who works with a PIN."""

    section = "staff"
    chooser_to = "dashboard:staff"


class StaffList(StaffPage):
    """All staff of the merchant, those who left at the end."""

    template_name = "dashboard/staff.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the list."""
        return self.page(
            people=people.staff(self.desk.stores, at=timezone.now()),
            subpages=frame.staff_pages(self.desk, "dashboard:staff"),
        )


class StaffNew(FormMixin, StaffPage):
    """Add somebody; the PIN is made here."""

    template_name = "dashboard/form_page.html"

    def get_form(self, data: Any = None) -> StaffForm:
        """Make the form with the merchant's stores."""
        return StaffForm(data, stores=self.desk.stores)

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            "title": _("Add a person"),
            "text": _("They get a PIN of six digits for the till. It is made now and shown once."),
            "action": _("Add and make a PIN"),
            "back_url": reverse("dashboard:staff", args=[self.code]),
        }

    def save(self, form: StaffForm) -> HttpResponseBase:
        """Make the person and show the PIN."""
        made = staff.create(
            merchant_id=self.merchant_id,
            name=form.cleaned_data["name"],
            stores=chosen_stores(form),
            external_id=form.cleaned_data["external_id"],
            actor_id=self.actor_id,
            at=timezone.now(),
        )
        return self.page("dashboard/staff_pin.html", who=made.staff.name, pin=made.pin)


class StaffMember(FormMixin, StaffPage):
    """One person: name, stores, PIN."""

    template_name = "dashboard/staff_member.html"

    def get_form(self, data: Any = None) -> StaffForm:
        """Make the form with what is known."""
        initial = self.person().as_initial() if data is None else None
        return StaffForm(data, stores=self.desk.stores, initial=initial)

    def person(self) -> people.Person:
        """Return the person of the address, inside the merchant's scope."""
        return people.person(self.kwargs["staff_id"], self.desk.stores, at=timezone.now())

    def extra(self) -> dict[str, Any]:
        """Return the person."""
        return {"person": self.person()}

    def save(self, form: StaffForm) -> HttpResponseBase:
        """Keep name and stores."""
        staff.update(
            merchant_id=self.merchant_id,
            staff_id=self.kwargs["staff_id"],
            name=form.cleaned_data["name"],
            external_id=form.cleaned_data["external_id"],
            actor_id=self.actor_id,
            at=timezone.now(),
            stores=chosen_stores(form) if "stores" in form.fields else staff.UNCHANGED,
        )
        return self.to("staff", self.code, text=_("Saved."))


class StaffRotate(StaffPage):
    """Make a new PIN."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Make it and show it."""
        made = staff.rotate(
            merchant_id=self.merchant_id, staff_id=kwargs["staff_id"], actor_id=self.actor_id, at=timezone.now()
        )
        return self.page("dashboard/staff_pin.html", who=made.staff.name, pin=made.pin)


class StaffUnlock(StaffPage):
    """Lift a lock after too many wrong PINs."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Unlock and go back."""
        staff.unlock(
            merchant_id=self.merchant_id, staff_id=kwargs["staff_id"], actor_id=self.actor_id, at=timezone.now()
        )
        return self.to("staff_member", self.code, kwargs["staff_id"], text=_("Unlocked. The PIN works again."))


class StaffRevoke(StaffPage):
    """Ask, then end somebody's PIN."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        person = people.person(kwargs["staff_id"], self.desk.stores, at=timezone.now())
        return self.page(
            title=_("%(name)s no longer works here?") % {"name": person.name},
            text=_("The PIN stops working at once, on every device. What was stamped stays."),
            action=_("End the PIN"),
            back_url=reverse("dashboard:staff_member", args=[self.code, person.id]),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Revoke and go back to the list."""
        gone = staff.revoke(
            merchant_id=self.merchant_id, staff_id=kwargs["staff_id"], actor_id=self.actor_id, at=timezone.now()
        )
        return self.to("staff", self.code, text=_("%(name)s's PIN no longer works.") % {"name": gone.name})


def chosen_stores(form: StaffForm) -> list[UUID] | None:
    """Return the ticked stores, None (all) when nothing is ticked or there is nothing to tick."""
    ticked = form.cleaned_data.get("stores") or []
    return [UUID(store) for store in ticked] or None
