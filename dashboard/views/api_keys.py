"""Keys for till systems and scripts: made and shown once, listed, revoked."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import NotFound
from dashboard.forms.staff import ApiKeyForm
from dashboard.queries import devices
from dashboard.views import frame
from dashboard.views.base import FormMixin, MerchantView
from stores.services import api_keys


class ApiKeys(MerchantView):
    """The list."""

    template_name = "dashboard/api_keys.html"
    section = "staff"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the keys that work."""
        return self.page(keys=devices.api_keys(), subpages=frame.staff_pages(self.desk, "dashboard:api_keys"))


class ApiKeyNew(FormMixin, MerchantView):
    """Make a key and show it."""

    template_name = "dashboard/form_page.html"
    section = "staff"

    def get_form(self, data: Any = None) -> ApiKeyForm:
        """Make the form with the merchant's stores."""
        return ApiKeyForm(data, stores=self.desk.stores)

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            "title": _("New key"),
            "text": _("Give a key no more than it needs. It is shown once."),
            "action": _("Make the key"),
            "back_url": reverse("dashboard:api_keys"),
        }

    def save(self, form: ApiKeyForm) -> HttpResponseBase:
        """Make the key; its text is on this answer only."""
        code = form.cleaned_data["store"]
        store = next((store for store in self.desk.stores if store.code == code), None)
        made = api_keys.create(
            merchant_id=self.merchant_id,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            store_id=store.pk if store else None,
            actor_id=self.actor_id,
            at=timezone.now(),
        )
        return self.page("dashboard/api_key_made.html", purpose=made.api_key.name, key=made.text)


class ApiKeyRevoke(MerchantView):
    """Ask, then end a key."""

    template_name = "dashboard/confirm.html"
    section = "staff"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        key = devices.api_keys(only=kwargs["api_key_id"])
        if not key:
            raise NotFound
        return self.page(
            title=_("Revoke “%(name)s”?") % {"name": key[0].name},
            text=_("What uses this key stops working at once. It cannot be brought back; a new key can be made."),
            action=_("Revoke the key"),
            back_url=reverse("dashboard:api_keys"),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Revoke and go back."""
        gone = api_keys.revoke(
            merchant_id=self.merchant_id, api_key_id=kwargs["api_key_id"], actor_id=self.actor_id, at=timezone.now()
        )
        return self.to("api_keys", text=_("“%(name)s” no longer works.") % {"name": gone.name})
