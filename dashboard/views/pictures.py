"""Pictures of the merchant: the logo on the looks page, and a reward's picture on the reward's page."""

from typing import IO, Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import DomainError, NotFound
from dashboard.forms.base import show_error
from dashboard.forms.pictures import PictureForm
from dashboard.views.base import MerchantView
from dashboard.views.looks import Branding
from dashboard.views.rewards import RewardEdit, RewardsPage
from loyalty.services import reward_pictures
from merchants.services import logos


class UploadMixin(MerchantView):
    """A POST with a picture, on the page that shows it; refusals stand at the file's field."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Take the picture, or show the page again and say why not."""
        posted, files = self.request.POST, self.request.FILES
        # Known only once the body was read.
        form = PictureForm(posted, files, too_large=getattr(self.request, "upload_too_large", False))
        if not form.is_valid():
            return self.again(form, 400)
        try:
            return self.take(form.cleaned_data["image"])
        except NotFound:
            raise
        except DomainError as error:
            show_error(form, error)
            return self.again(form, error.status)

    def again(self, form: PictureForm, status: int) -> HttpResponse:
        """Show the page with what is wrong; its own form stands as if nobody had touched it."""
        with self.scope():
            own = self.get_form()  # type: ignore[attr-defined] # the page's own, from FormMixin
        return self.page(form=own, picture_form=form, status=status)

    def take(self, upload: IO[bytes]) -> HttpResponseBase:
        """Call the one service of this page."""
        raise NotImplementedError


class Logo(UploadMixin, Branding):
    """A new logo."""

    def take(self, upload: IO[bytes]) -> HttpResponseBase:
        """Keep it."""
        logos.replace(merchant_id=self.merchant_id, upload=upload, actor_id=self.actor_id, at=timezone.now())
        return self.to("branding", self.code, text=_("The logo is saved. Cards show it at their next look."))


class LogoRemove(Branding):
    """Ask, then remove the logo."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        return self.page(
            "dashboard/confirm.html",
            title=_("Remove the logo?"),
            text=_("Cards and pages show the icon of your trade instead. You can upload a logo again at any time."),
            action=_("Remove the logo"),
            back_url=reverse("dashboard:branding", args=[self.code]),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Remove it."""
        logos.remove(merchant_id=self.merchant_id, actor_id=self.actor_id, at=timezone.now())
        return self.to("branding", self.code, text=_("The logo is removed."))


class RewardPicture(UploadMixin, RewardEdit):
    """A new picture of a reward."""

    def take(self, upload: IO[bytes]) -> HttpResponseBase:
        """Keep it."""
        with self.scope():
            reward = self.reward()
        reward_pictures.replace(merchant_id=self.merchant_id, reward_id=reward.pk, upload=upload, at=timezone.now())
        return self.to("reward", self.code, reward.pk, text=_("The picture is saved."))


class RewardPictureRemove(RewardsPage):
    """Ask, then remove a reward's picture."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        reward = self.reward()
        return self.page(
            title=_("Remove the picture of “%(name)s”?") % {"name": reward.name},
            text=_("Customers see the reward with the gift instead. You can upload a picture again at any time."),
            action=_("Remove the picture"),
            back_url=reverse("dashboard:reward", args=[self.code, reward.pk]),
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Remove it."""
        with self.scope():
            reward = self.reward()
        reward_pictures.remove(merchant_id=self.merchant_id, reward_id=reward.pk, at=timezone.now())
        return self.to("reward", self.code, reward.pk, text=_("The picture is removed."))
