"""What tills kept without a connection and could not book: a manager books it after all, or leaves it."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import DomainError, NotFound
from core.web import client_address, user_agent
from dashboard.forms.reviews import DismissForm
from dashboard.queries import reviews as shown
from dashboard.views import frame
from dashboard.views.base import FormMixin, StoreView
from loyalty.enums import Channel
from loyalty.models import ReviewItem
from loyalty.queries import reviews as review_queries
from loyalty.services import reviews
from loyalty.services.reviews import Decider
from stores.queries.access import Credential


class ReviewsPage(StoreView):
    """The items of one store."""

    section = "staff"
    chooser_to = "dashboard:reviews"

    def item(self) -> ReviewItem:
        """Return the item of the address, in the merchant's scope; one of another store is not found here."""
        item = review_queries.one(self.kwargs["review_id"])
        if item.store_id != self.store.pk:
            raise NotFound
        return item

    def decider(self) -> Decider:
        """Describe who decides."""
        return Decider(
            credential=Credential("user", self.merchant_id, self.actor_id), at=timezone.now(),
            channel=Channel.DASHBOARD, ip=client_address(self.request), user_agent=user_agent(self.request),
        )  # fmt: skip


class Reviews(ReviewsPage):
    """The list."""

    template_name = "dashboard/reviews.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what waits, and what was decided lately."""
        found = shown.page(self.store.pk, self.desk.merchant.currency, after=self.request.GET.get("after", ""))
        more = f"{reverse('dashboard:reviews', args=[self.code])}?after={found.after}" if found.after else ""
        return self.page(
            waiting=found.waiting,
            decided=found.decided,
            next_url=more,
            subpages=frame.staff_pages(self.desk, "dashboard:reviews"),
        )


class ReviewAccept(ReviewsPage):
    """Book an item after all."""

    http_method_names = ["post", "options"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Book it and go back to the list; what nobody can waive is said there."""
        with self.scope():
            item = self.item()
        try:
            reviews.accept(self.decider(), item_id=item.pk)
        except DomainError as error:
            return self.back("reviews", self.code, error=error)
        return self.to("reviews", self.code, text=_("Booked, as of when it happened."))


class ReviewDismiss(FormMixin, ReviewsPage):
    """Leave an item unbooked, with a word why."""

    template_name = "dashboard/form_page.html"
    form_class = DismissForm

    def extra(self) -> dict[str, Any]:
        """Return the words of the page."""
        line = shown.line(self.item(), self.desk.merchant.currency)
        return {
            "title": _("Leave it unbooked?"),
            "text": _("%(what)s for %(who)s. The card stays as it is.") % {"what": line.title, "who": line.who},
            "action": _("Leave it unbooked"),
            "back_url": reverse("dashboard:reviews", args=[self.code]),
        }

    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Decide only about what the address names."""
        with self.scope():
            self.item()
        return super().post(*args, **kwargs)

    def save(self, form: DismissForm) -> HttpResponseBase:
        """Leave it."""
        reviews.dismiss(self.decider(), item_id=self.kwargs["review_id"], note=form.cleaned_data["note"])
        return self.to("reviews", self.code, text=_("Left unbooked."))
