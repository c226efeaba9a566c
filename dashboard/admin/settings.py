"""What the platform allows one merchant: each setting in plain words, changed with a reason, audited."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import actions
from core.errors import DomainError
from core.forms import ReasonForm
from dashboard.admin.pages import OfMerchant
from merchants.admin import SettingsForm
from merchants.models import Merchant, MerchantSettings
from merchants.services import platform

CHANGES = "merchants.change_merchantsettings"
# What each setting means for the merchant's people and customers.
MEANS: dict[str, Promise] = {
    "staff_pin_policy": gettext_lazy(
        "Required: nothing is given without a PIN. Disabled: nobody is asked. Else each program decides."
    ),
    "pin_max_failed_attempts": gettext_lazy("So many wrong PINs in a row lock the person out."),
    "pin_lockout_minutes": gettext_lazy("How long the lock lasts. A manager can end it sooner."),
    "ask_pin_again": gettext_lazy("A person who has typed the PIN already is asked once more before value goes out."),
    "own_card_policy": gettext_lazy("When staff stamp a card that is linked to themselves."),
    "allow_self_enrollment": gettext_lazy("Off: cards are made at the counter only, and the poster's code says so."),
    "double_opt_in": gettext_lazy("On: an agreement to mails counts once it is confirmed by a link."),
    "allow_void_transactions": gettext_lazy("Off: a mistake at the till stays; only a manager's adjustment mends it."),
    "allow_cross_store_redemption": gettext_lazy("Off: a reward is handed out only where the card was made."),
    "max_stores": gettext_lazy("So many stores can be open at once. Stores that are open already stay."),
    "features": gettext_lazy('Switches of single features, such as {"name": true}.'),
}
GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (gettext_lazy("At the till"), (
        "staff_pin_policy", "pin_max_failed_attempts", "pin_lockout_minutes", "ask_pin_again", "own_card_policy",
    )),
    (gettext_lazy("Customers"), ("allow_self_enrollment", "double_opt_in")),
    (gettext_lazy("Corrections and rewards"), ("allow_void_transactions", "allow_cross_store_redemption")),
    (gettext_lazy("Size and features"), ("max_stores", "features")),
)  # fmt: skip


class ExplainedForm(SettingsForm):
    """The settings with what they mean."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.help_text = str(MEANS[name])

    def groups(self) -> list[tuple[str, list[Any]]]:
        """Return the fields by what they are about."""
        return [(str(title), [self[name] for name in names]) for title, names in GROUPS]


class SettingsPage(OfMerchant):
    """The page."""

    http_method_names = ["get", "post", "head", "options"]
    needs = "merchants.view_merchantsettings"
    template_name = "admin/platform/settings.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what holds."""
        merchant = self.merchant()
        return self.filled(merchant, ExplainedForm(instance=self.row(merchant)), ReasonForm())

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Change what was changed, or show it again with what is wrong."""
        if not self.request.user.has_perm(CHANGES):
            raise PermissionDenied
        merchant = self.merchant()
        form, why = ExplainedForm(self.request.POST, instance=self.row(merchant)), ReasonForm(self.request.POST)
        if not all([form.is_valid(), why.is_valid()]):
            return self.filled(merchant, form, why, status=400)
        changes = form.changes()
        try:
            platform.change_settings(
                merchant_id=merchant.pk, changes=changes, at=timezone.now(), reason=why.cleaned_data["reason"],
                actor_id=cast(UUID, self.request.user.pk),
            )  # fmt: skip
        except DomainError as refusal:
            form.add_error(None, actions.said(refusal))
            return self.filled(merchant, form, why, status=refusal.status)
        messages.success(self.request, _("The settings are changed.") if changes else _("Nothing had to change."))
        return HttpResponseRedirect(reverse("platform:merchant", args=[merchant.pk]))

    def row(self, merchant: Merchant) -> MerchantSettings:
        """Return the merchant's settings, fresh: a form changes the row it is given."""
        return MerchantSettings.objects.get(merchant_id=merchant.pk)

    def filled(self, merchant: Merchant, form: ExplainedForm, why: ReasonForm, *, status: int = 200) -> HttpResponse:
        """Show the page."""
        row = self.row(merchant)
        switches = [(_("New enrolments"), row.enrollment_suspended), (_("Messages"), row.messages_suspended)]
        offered = actions.offered(admin.site._registry[Merchant], self.request, merchant)
        turning = [entry for entry in offered if entry["name"].endswith(("_enrollment", "_messages"))]
        return self.show(
            title=_("Settings"), status=status, merchant=merchant, form=form, why=why, switches=switches,
            row_actions=turning, opts=Merchant._meta, may_change=self.request.user.has_perm(CHANGES),
        )  # fmt: skip
