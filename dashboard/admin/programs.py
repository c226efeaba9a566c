"""The programs of all merchants: found, filtered, with what needs a look."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.admin.pages import Choice, PlatformPage
from dashboard.queries import platform_lists
from loyalty.enums import LoyaltyType, ProgramStatus


class Programs(PlatformPage):
    """The list."""

    needs = "loyalty.view_program"
    template_name = "admin/platform/programs.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a page of it."""
        search, status, kind = self.asked("q"), self.asked("status"), self.asked("kind")
        page = platform_lists.programs(
            search=search, status=status, kind=kind, after=self.asked("after"), at=timezone.now()
        )
        return self.show(
            title=_("Programs"), lines=page.lines, search=search, filtered=bool(search or status or kind),
            following=self.address(after=page.after) if page.after else "",
            first=self.address(after="") if self.asked("after") else "",
            statuses=[Choice(str(label), value, active=value == status) for value, label in ProgramStatus.choices],
            kinds=[Choice(str(label), value, active=value == kind) for value, label in LoyaltyType.choices],
        )  # fmt: skip
