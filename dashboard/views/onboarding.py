"""The four steps after sign-up. Each is saved by itself, can be skipped, and is found again at the next visit."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import pictures
from core.errors import NotFound
from dashboard.forms import presets
from dashboard.forms.branding import LooksForm
from dashboard.forms.programs import KindForm
from dashboard.forms.stores import FirstShopForm
from dashboard.queries import addresses, previews, setup
from dashboard.services import onboarding
from dashboard.views import pairing
from dashboard.views.base import FormMixin, MerchantView
from loyalty.enums import LoyaltyType
from loyalty.models import Program
from loyalty.queries import programs as program_queries
from loyalty.queries import rewards as reward_queries
from merchants.rules import colours
from merchants.services import merchants
from stores.models import Store
from stores.services import terminals

STEPS = 4
# What stands beside the number of each step but the last, which bears the trade's stamp.
ICONS = {1: "gift", 2: "palette", 3: "store"}


class OnboardingStart(MerchantView):
    """Without a number: the step that is next."""

    def get(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go on where one left."""
        step = min(self.desk.merchant.onboarding_step, STEPS)
        return HttpResponseRedirect(reverse("dashboard:onboarding", args=[step]))


class Step(FormMixin, MerchantView):
    """One step of the wizard."""

    step = 0
    skip_to = 0

    @property
    def store(self) -> Store:
        """The store that the wizard is about: the first one."""
        if self.desk.home_store is None:
            raise NotFound
        return self.desk.home_store

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Save the step, or skip it."""
        if "skip" in self.request.POST:
            merchants.reach_step(merchant_id=self.merchant_id, step=self.step + 1)
            return self.forward()
        return super().post(*args, **kwargs)

    def forward(self) -> HttpResponseBase:
        """Go on to the next step."""
        return self.to("onboarding", self.step + 1)

    def extra(self) -> dict[str, Any]:
        """Return where one stands."""
        back = reverse("dashboard:onboarding", args=[self.step - 1]) if self.step > 1 else ""
        return {
            "step": self.step,
            "total": STEPS,
            "step_icon": ICONS.get(self.step, ""),
            "trade_icon": presets.icon(self.desk.merchant.trade),
            "back_url": back,
        }


class ProgramStep(Step):
    """What customers collect and what they get."""

    template_name = "dashboard/onboarding_program.html"
    step = onboarding.PROGRAM

    def kind(self) -> str:
        """Return what is counted: as chosen, as it is, or as the trade usually has it."""
        chosen = self.request.POST.get("loyalty_type") or self.request.GET.get("type", "")
        if chosen in LoyaltyType.values:
            return chosen
        program = self.program()
        return program.loyalty_type if program else presets.of(self.desk.merchant.trade).kind

    def program(self) -> Program | None:
        """Return the store's program, if there is one."""
        with self.scope():
            return program_queries.for_store(self.store.pk)

    def get_form(self, data: Any = None) -> KindForm:
        """Make the form with what is there, else with what the trade usually has."""
        initial = None if data is not None else self.initial()
        return KindForm(data, loyalty_type=self.kind(), currency=self.desk.merchant.currency, initial=initial)

    def initial(self) -> dict[str, Any]:
        """Return the first values."""
        preset, program = presets.of(self.desk.merchant.trade), self.program()
        if program is None:
            return {
                "name": self.desk.merchant.name,
                "stamps_target": preset.target,
                "stamps_reward_description": preset.rewards[0],
                "points": 10,
                "reward_points": preset.reward_points,
                "reward_name": preset.rewards[0],
            }
        reward = reward_queries.catalogue(program.pk).first()
        return {
            "name": program.name,
            "stamps_target": program.stamps_target,
            "stamps_reward_description": program.stamps_reward_description,
            "points": program.points_per_euro_num if program.points_per_euro_den == 1 else "",
            "reward_points": reward.points_cost if reward else preset.reward_points,
            "reward_name": reward.name if reward else preset.rewards[0],
        }

    def extra(self) -> dict[str, Any]:
        """Return the kinds to choose from and the trade's suggestions."""
        here, kind = reverse("dashboard:onboarding", args=[self.step]), self.kind()
        return {
            **super().extra(),
            "counted": kind,
            "kinds": [
                {"url": f"{here}?type={value}", "label": label, "active": value == kind}
                for value, label in LoyaltyType.choices
            ],
            "suggestions": presets.of(self.desk.merchant.trade).rewards,
            "passes": previews.planned(self.desk.merchant, kind, self.initial()),
            "theme_css": addresses.theme(self.desk.merchant),
        }

    def save(self, form: KindForm) -> HttpResponseBase:
        """Make the program and start it."""
        onboarding.describe_program(
            merchant_id=self.merchant_id,
            store_id=self.store.pk,
            rules=form.rules(),
            reward=form.reward(),
            actor_id=self.actor_id,
            at=timezone.now(),
        )
        return self.forward()


class LooksStep(Step):
    """The colour of the card and the logo, with the passes beside them."""

    template_name = "dashboard/onboarding_looks.html"
    step = onboarding.LOOKS

    def get_form(self, data: Any = None) -> LooksForm:
        """Make the form with the colour of now; that a file was too large is known once the body was read."""
        if data is None:
            return LooksForm(initial={"card_color": self.desk.merchant.card_color})
        files, too_large = self.request.FILES, getattr(self.request, "upload_too_large", False)
        return LooksForm(data, files, too_large=too_large)

    def extra(self) -> dict[str, Any]:
        """Return what the preview shows: the program, else what the trade usually has."""
        merchant, program = self.desk.merchant, program_queries.for_store(self.store.pk)
        preset = presets.of(merchant.trade)
        usual = {
            "stamps_target": preset.target, "stamps_reward_description": preset.rewards[0],
            "reward_points": preset.reward_points, "reward_name": preset.rewards[0],
        }  # fmt: skip
        return {
            **super().extra(),
            "passes": previews.passes(program, merchant) if program else previews.planned(merchant, preset.kind, usual),
            "theme_css": addresses.theme(merchant),
            "ratio": round(colours.ratio(merchant.card_color), 1),
            "logo_url": pictures.url(merchant.logo.name),
        }

    def save(self, form: LooksForm) -> HttpResponseBase:
        """Keep them."""
        onboarding.choose_looks(
            merchant_id=self.merchant_id,
            card_color=form.cleaned_data["card_color"],
            logo=form.cleaned_data["image"],
            actor_id=self.actor_id,
            at=timezone.now(),
        )
        return self.forward()


class ShopStep(Step):
    """Where the first store is, and who works there."""

    template_name = "dashboard/onboarding_form.html"
    step = onboarding.SHOP

    def get_form(self, data: Any = None) -> FirstShopForm:
        """Make the form with what is known; one that names somebody may have come twice, and is read whole."""
        with self.scope():
            has_staff = setup.state(self.store.pk).has_staff and not (data or {}).get("person")
        names = ("name", "street", "postal_code", "city")
        return FirstShopForm(data, has_staff=has_staff, initial={name: getattr(self.store, name) for name in names})

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            **super().extra(),
            "title": _("Where are you, and who is at the till?"),
            "text": _("Customers see the address on their card."),
        }

    def save(self, form: FirstShopForm) -> HttpResponseBase:
        """Keep the address; show the PIN of who was added."""
        details = dict(form.cleaned_data)
        person = details.pop("person", "")
        made = onboarding.open_shop(
            merchant_id=self.merchant_id,
            store_id=self.store.pk,
            details=details,
            person=person,
            actor_id=self.actor_id,
            at=timezone.now(),
        )
        if made is None:
            if self.request.POST.get("person", "").strip():
                # The same form again, long after: whoever sent it may never have seen the PIN.
                messages.info(self.request, _("Somebody is at the till already. Make a new PIN under Staff."))
            return self.forward()
        return self.page("dashboard/onboarding_pin.html", **self.extra(), who=made.staff.name, pin=made.pin)


class ReadyStep(Step):
    """Everything stands: the poster, the code that pairs the till, and a first stamp for oneself."""

    template_name = "dashboard/onboarding_ready.html"
    step = onboarding.READY

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what is ready."""
        return self.page()

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show a code that pairs a device, or leave the wizard for good."""
        if "pair" in self.request.POST:
            made = terminals.make_pairing_code(
                merchant_id=self.merchant_id,
                store_id=self.store.pk,
                name=_("Till"),
                user_id=self.actor_id,
                at=timezone.now(),
            )
            with self.scope():
                around = self.extra()
            return self.page(**around, pairing=pairing.shown(made))
        merchants.reach_step(merchant_id=self.merchant_id, step=onboarding.DONE)
        return self.to("home", self.store.code)

    def extra(self) -> dict[str, Any]:
        """Return the code to scan, and what is still open."""
        return {
            **super().extra(),
            "first_store": self.store,
            "program": program_queries.for_store(self.store.pk),
            "done": setup.state(self.store.pk),
            "enroll_url": addresses.enroll(self.store.code),
            "terminal_url": addresses.terminal(self.store.code),
        }


VIEWS = {
    "1": ProgramStep.as_view(),
    "2": LooksStep.as_view(),
    "3": ShopStep.as_view(),
    "4": ReadyStep.as_view(),
}


def show_step(request: HttpRequest, number: str) -> HttpResponseBase:
    """Show or save the step of the address."""
    return VIEWS[number](request)
