"""The program of a store: its rules, a review before a change is saved, and its life (pause, go on, end)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, NotFound
from dashboard.forms.programs import FACES, ProgramForm
from dashboard.queries import addresses, previews
from dashboard.views import frame
from dashboard.views.base import FormMixin, StoreView
from loyalty.enums import ProgramStatus
from loyalty.models import Program
from loyalty.queries import programs as program_queries
from loyalty.rules import programs as rules
from loyalty.services import program_fields, programs

APPLIES: dict[str, Promise] = {
    rules.NOW: _("Counts from now on."),
    rules.NEW_CYCLES: _("Counts from each customer's next card on. Cards that are running keep what they promise."),
    rules.NEW_SALES: _("Counts for purchases from now on. What was earned stays."),
}
# What a status may become, with the words of the button and of the question.
LIFE: dict[str, tuple[tuple[str, Promise, str], ...]] = {
    ProgramStatus.DRAFT: ((ProgramStatus.ACTIVE, _("Start"), "play"),),
    ProgramStatus.ACTIVE: ((ProgramStatus.PAUSED, _("Pause"), "pause"),),
    ProgramStatus.PAUSED: (
        (ProgramStatus.ACTIVE, _("Go on"), "play"),
        (ProgramStatus.ENDED, _("End for good"), "close"),
    ),
    ProgramStatus.ENDED: (),
}
QUESTIONS: dict[str, tuple[Promise, Promise]] = {
    ProgramStatus.ACTIVE: (
        _("Start the program?"),
        _("Customers can join, and staff can stamp and give points at once."),
    ),
    ProgramStatus.PAUSED: (
        _("Pause the program?"),
        _("Nobody earns and nobody joins while it is paused. Rewards that are ready can still be handed out."),
    ),
    ProgramStatus.ENDED: (
        _("End the program for good?"),
        _("It cannot be started again. Rewards that are ready can still be handed out; tell people until when."),
    ),
}
STATES: dict[str, tuple[Promise, str]] = {
    ProgramStatus.DRAFT: (_("A draft: nobody can join yet"), "warn"),
    ProgramStatus.ACTIVE: (_("Runs"), "ok"),
    ProgramStatus.PAUSED: (_("Paused: earning stops, rewards stay"), "warn"),
    ProgramStatus.ENDED: (_("Ended"), ""),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the review: what, before, after, and from when on."""

    label: str
    old: str
    new: str
    applies: str


class ProgramPage(StoreView):
    """A page about the store's program."""

    section = "settings"
    chooser_to = "dashboard:settings"

    def program(self) -> Program:
        """Return the program the store runs, inside the merchant's scope; raises NotFound without one."""
        found = program_queries.for_store(self.store.pk)
        if found is None:
            raise NotFound
        return found


class Settings(FormMixin, ProgramPage):
    """The rules as a form. The first POST shows what would change, the second one saves it."""

    template_name = "dashboard/settings.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the rules, or the way to a first program."""
        if program_queries.for_store(self.store.pk) is None:
            return self.page("dashboard/settings_none.html", subpages=self.subpages())
        return super().get(*args, **kwargs)

    def get_form(self, data: Any = None) -> ProgramForm:
        """Make the form of the store's program."""
        with self.scope():
            program = self.program()
        return ProgramForm(data, program=program)

    def subpages(self) -> list[frame.Entry]:
        """Return the row of sub pages."""
        return frame.settings_pages(self.desk, "dashboard:settings")

    def extra(self) -> dict[str, Any]:
        """Return the program, its state and what can be done about it."""
        program = self.program()
        words, tone = STATES[program.status]
        return {
            "program": program,
            "state": words,
            "tone": tone,
            "life": [
                {"url": reverse("dashboard:program_status", args=[self.code, target]), "label": label, "icon": icon}
                for target, label, icon in LIFE[program.status]
            ],
            "subpages": self.subpages(),
            "preview": previews.of(program),
            "theme_css": addresses.theme(self.desk.merchant),
            "others": [store.name for store in self.desk.stores if store != self.desk.store],
        }

    def save(self, form: ProgramForm) -> HttpResponseBase:
        """Show the review first; save what was reviewed."""
        changes = form.changes()
        if not changes:
            return self.to("settings", self.code, text=gettext("Nothing was different."))
        if "edit" in self.request.POST:
            return self.page(form=form)
        if "confirmed" not in self.request.POST:
            program_fields.checked(changes, language=self.desk.merchant.default_language)
            return self.page("dashboard/settings_review.html", form=form, changes=review(form, changes))
        programs.update(
            merchant_id=self.merchant_id,
            program_id=form.program.pk,
            data=changes,
            user_id=self.actor_id,
            at=timezone.now(),
        )
        return self.to("settings", self.code, text=gettext("Saved. The new rules apply."))


class ProgramStatusPage(ProgramPage):
    """Ask, then start, pause, resume or end the program."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        target, program = kwargs["status"], self.program()
        if target not in QUESTIONS or not rules.may_become(program.status, target):
            raise NotFound
        title, text = QUESTIONS[target]
        action = next(label for wanted, label, _icon in LIFE[program.status] if wanted == target)
        return self.page(
            title=title, text=text, action=action, back_url=reverse("dashboard:settings", args=[self.code])
        )

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Change the status."""
        with self.scope():
            program = self.program()
        try:
            programs.update(
                merchant_id=self.merchant_id,
                program_id=program.pk,
                data={"status": kwargs["status"]},
                user_id=self.actor_id,
                at=timezone.now(),
            )
        except NotFound:
            raise
        except DomainError as error:
            return self.back("settings", self.code, error=error)
        return self.to("settings", self.code, text=gettext("Done."))


def review(form: ProgramForm, changes: dict[str, Any]) -> list[Change]:
    """Return what would change, in words."""
    found = []
    for name in changes:
        field = FACES.get(name, name)
        label = str(form.fields[field].label)
        old, new = _shown(form, field, form.initial), _shown(form, field, form.cleaned_data)
        found.append(Change(label, old, new, str(APPLIES[rules.applies_to(name)])))
    return found


def _shown(form: ProgramForm, name: str, values: Mapping[str, Any]) -> str:
    """Return a value as people read it."""
    value = values.get(name)
    if name == "points":
        return gettext("%(points)s for every %(amount)s %(currency)s") % {
            "points": values["points"],
            "amount": values["per_amount"],
            "currency": form.program.currency,
        }
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    choices = dict(getattr(form.fields[name], "choices", ()))
    if choices:
        return str(choices.get(value, value))
    shown = form.fields[name].prepare_value(value)
    return "–" if shown in (None, "") else str(shown)
