"""How the card looks: the merchant's colour and logo."""

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from core import pictures
from dashboard.forms.branding import BrandingForm
from dashboard.forms.pictures import PictureForm
from dashboard.queries import addresses, previews
from dashboard.views import frame
from dashboard.views.base import FormMixin, StoreView
from loyalty.queries import programs as program_queries
from merchants.rules import colours
from merchants.services import merchants


class Branding(FormMixin, StoreView):
    """The colour of the card."""

    template_name = "dashboard/branding.html"
    section = "settings"
    chooser_to = "dashboard:branding"

    def get_form(self, data: Any = None) -> BrandingForm:
        """Make the form with the colour of now."""
        merchant = self.desk.merchant
        return BrandingForm(data, initial={"card_color": merchant.card_color, "name": merchant.name})

    def extra(self) -> dict[str, Any]:
        """Return what the preview shows."""
        merchant, program = self.desk.merchant, program_queries.for_store(self.store.pk)
        shades = colours.palette(merchant.card_color)
        return {
            "passes": previews.passes(program, merchant) if program else None,
            "logo_url": pictures.url(merchant.logo.name),
            "picture_form": PictureForm(),
            "theme_css": addresses.theme(merchant),
            "ratio": round(colours.contrast(shades["merchant"], shades["on-merchant"]), 1),
            "subpages": frame.settings_pages(self.desk, "dashboard:branding"),
        }

    def save(self, form: BrandingForm) -> HttpResponseBase:
        """Keep it."""
        merchants.update(merchant_id=self.merchant_id, actor_id=self.actor_id, at=timezone.now(), **form.cleaned_data)
        return self.to("branding", self.code, text=_("Saved. Cards show it at their next look."))
