"""What points buy: the list, adding, changing, taking off. A reward in use is archived by the service."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import pictures
from core.errors import NotFound
from dashboard.forms.pictures import PictureForm
from dashboard.forms.programs import RewardForm
from dashboard.views.base import FormMixin
from dashboard.views.program import ProgramPage
from loyalty.models import Reward
from loyalty.queries import programs as program_queries
from loyalty.queries import rewards as reward_queries
from loyalty.services import rewards


class RewardsPage(ProgramPage):
    """A page about the rewards of the store's program."""

    section = "rewards"
    chooser_to = "dashboard:rewards"

    def reward(self) -> Reward:
        """Return the reward of the address, inside the merchant's scope; raises NotFound."""
        found = reward_queries.catalogue(self.program().pk).filter(pk=self.kwargs["reward_id"]).first()
        if found is None:
            raise NotFound
        return found


class Rewards(RewardsPage):
    """The list, and what a full stamp card gives."""

    template_name = "dashboard/rewards.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the rewards."""
        program = program_queries.for_store(self.store.pk)
        found = list(reward_queries.catalogue(program.pk)) if program and program.has_points else []
        return self.page(program=program, rewards=[(reward, pictures.small_url(reward.image.name)) for reward in found])


class RewardNew(FormMixin, RewardsPage):
    """Add a reward."""

    template_name = "dashboard/form_page.html"
    form_class = RewardForm

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        return {
            "title": _("New reward"),
            "action": _("Add the reward"),
            "back_url": reverse("dashboard:rewards", args=[self.code]),
        }

    def save(self, form: RewardForm) -> HttpResponseBase:
        """Add it to the store's program."""
        with self.scope():
            program = self.program()
        made = rewards.create(
            merchant_id=self.merchant_id, program_id=program.pk, data=form.cleaned_data, at=timezone.now()
        )
        return self.to("rewards", self.code, text=_("“%(name)s” is on offer.") % {"name": made.name})


class RewardEdit(FormMixin, RewardsPage):
    """Change a reward."""

    template_name = "dashboard/reward_edit.html"

    def get_form(self, data: Any = None) -> RewardForm:
        """Make the form with what is known."""
        with self.scope():
            reward = self.reward()
        return RewardForm(
            data, initial={name: getattr(reward, name) for name in ("name", "points_cost", "description")}
        )

    def extra(self) -> dict[str, Any]:
        """Return the reward."""
        reward = self.reward()
        return {"reward": reward, "picture_url": pictures.url(reward.image.name), "picture_form": PictureForm()}

    def save(self, form: RewardForm) -> HttpResponseBase:
        """Keep it."""
        kept = rewards.update(
            merchant_id=self.merchant_id,
            reward_id=self.kwargs["reward_id"],
            data=form.cleaned_data,
            at=timezone.now(),
        )
        return self.to("rewards", self.code, text=_("“%(name)s” is saved.") % {"name": kept.name})


class RewardSwitch(RewardsPage):
    """Put a reward on offer or take it off for a while."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Switch and go back."""
        with self.scope():
            reward = self.reward()
        on_offer = self.request.POST.get("on_offer") == "1"
        rewards.update(
            merchant_id=self.merchant_id, reward_id=reward.pk, data={"is_active": on_offer}, at=timezone.now()
        )
        text = _("“%(name)s” is on offer.") if on_offer else _("“%(name)s” is not on offer for now.")
        return self.to("rewards", self.code, text=text % {"name": reward.name})


class RewardRemove(RewardsPage):
    """Ask, then take a reward off for good."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        reward = self.reward()
        return self.page(
            title=_("Take “%(name)s” off for good?") % {"name": reward.name},
            text=_("Customers no longer see it. What was handed out stays in the history."),
            action=_("Take it off"),
            back_url=reverse("dashboard:reward", args=[self.code, reward.pk]),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Archive or delete, as the service decides."""
        rewards.remove(merchant_id=self.merchant_id, reward_id=kwargs["reward_id"], at=timezone.now())
        return self.to("rewards", self.code, text=_("The reward is taken off."))
