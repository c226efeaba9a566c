"""The merchant's stores: listed, opened, changed, closed."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import DomainError, NotFound
from dashboard.forms.stores import EditStoreForm, StoreForm
from dashboard.queries import addresses
from dashboard.views.base import FormMixin, MerchantView
from stores.models import Store
from stores.services import stores

FIELDS = ("name", "street", "postal_code", "city", "country", "time_zone", "day_start", "own_device_enabled")


class StoresPage(MerchantView):
    """A page about stores."""

    section = "stores"

    def entry(self) -> Store:
        """Return the store of the address; raises NotFound."""
        found = next((store for store in self.desk.stores if store.pk == self.kwargs["store_id"]), None)
        if found is None:
            raise NotFound
        return found


class Stores(StoresPage):
    """The list."""

    template_name = "dashboard/stores.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the open stores."""
        return self.page()


class StoreNew(FormMixin, StoresPage):
    """Open a store."""

    template_name = "dashboard/form_page.html"

    def get_form(self, data: Any = None) -> StoreForm:
        """Make the form with the merchant's country and clock."""
        merchant = self.desk.merchant
        return StoreForm(data, initial={"country": merchant.country, "time_zone": merchant.time_zone})

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            "title": _("Open a store"),
            "text": _("Your cards are good there too, by the same rules. You can give it a program of its own later."),
            "action": _("Open the store"),
            "back_url": reverse("dashboard:stores"),
        }

    def save(self, form: StoreForm) -> HttpResponseBase:
        """Open it."""
        made = stores.open_store(
            merchant_id=self.merchant_id, actor_id=self.actor_id, at=timezone.now(), **_given(form.cleaned_data)
        )
        return self.to("store_edit", made.pk, text=_("“%(name)s” is open.") % {"name": made.name})


class StoreEdit(FormMixin, StoresPage):
    """Name, address, hours and switches of one store."""

    template_name = "dashboard/store_edit.html"

    def get_form(self, data: Any = None) -> EditStoreForm:
        """Make the form with what is known."""
        entry = self.entry()
        return EditStoreForm(data, initial={name: getattr(entry, name) for name in FIELDS})

    def extra(self) -> dict[str, Any]:
        """Return the store and its addresses."""
        entry = self.entry()
        return {
            "entry": entry,
            "links": [
                {"label": _("Where customers get their card"), "url": addresses.enroll(entry.code)},
                {"label": _("The till"), "url": addresses.terminal(entry.code)},
            ],
        }

    def save(self, form: EditStoreForm) -> HttpResponseBase:
        """Keep it."""
        stores.update(
            merchant_id=self.merchant_id,
            store_id=self.entry().pk,
            actor_id=self.actor_id,
            at=timezone.now(),
            **_given(form.cleaned_data),
        )
        return self.to("store_edit", self.entry().pk, text=_("Saved."))


class StoreClose(StoresPage):
    """Ask, then close a store."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        entry = self.entry()
        return self.page(
            title=_("Close “%(name)s”?") % {"name": entry.name},
            text=_("Its pages, its code on posters and its terminals stop working. It cannot be opened again."),
            points=[_("Cards stay good in your other stores."), _("History and figures are kept.")],
            action=_("Close the store"),
            back_url=reverse("dashboard:store_edit", args=[entry.pk]),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Close it."""
        try:
            gone = stores.close(
                merchant_id=self.merchant_id, store_id=self.entry().pk, actor_id=self.actor_id, at=timezone.now()
            )
        except NotFound:
            raise
        except DomainError as error:
            return self.back("stores", error=error)
        return self.to("stores", text=_("“%(name)s” is closed.") % {"name": gone.name})


def _given(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out a time that was not typed: the store keeps the one it has."""
    return {name: value for name, value in data.items() if not (name == "day_start" and value is None)}
