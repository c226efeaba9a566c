"""The program of a store: its rules, a review before a change is saved, and its life (pause, go on, end)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, NotFound, ValidationFailed
from core.templatetags.ui import localdate
from dashboard.forms.base import show_error
from dashboard.forms.programs import FACES, EndForm, ProgramForm
from dashboard.queries import addresses, previews
from dashboard.views import frame
from dashboard.views.base import FormMixin, StoreView
from loyalty.enums import ProgramStatus
from loyalty.models import Program
from loyalty.queries import programs as program_queries
from loyalty.rules import expiry
from loyalty.rules import programs as rules
from loyalty.services import program_fields, programs

APPLIES: dict[str, Promise] = {
    rules.NOW: _("Counts from now on, for all cards."),
    rules.NEW_CYCLES: _("Counts from each customer's next card on. Cards that are running keep what they promise."),
    rules.NEW_SALES: _("Counts for purchases from now on. What was earned stays."),
}
# Fields of which more is to be said than from when on they count.
SPECIAL: dict[str, Promise] = {
    "stamps_reward_valid_days": _("Counts for rewards that become ready from now on. Those that wait keep their day."),
    "full_card": _("Counts from now on. A card that is full already waits for its reward."),
    "void_window_minutes": _("Counts from now on, also for what was just given."),
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
        _("It cannot be started again. Nobody earns or joins any more. Rewards can be had until the last day."),
    ),
}
STATES: dict[str, tuple[Promise, str]] = {
    ProgramStatus.DRAFT: (_("A draft: nobody can join yet"), "warn"),
    ProgramStatus.ACTIVE: (_("Runs"), "ok"),
    ProgramStatus.PAUSED: (_("Paused: earning stops, rewards stay"), "warn"),
    ProgramStatus.ENDED: (_("Ended"), ""),
}
LAST_DAY = _("Change the last day")


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

    def today(self) -> date:
        """Return the merchant's date, by which points expire and programs end."""
        return expiry.local_date(timezone.now(), self.desk.merchant.time_zone)

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
            "life_text": life_text(program, self.today()),
            "life": [
                {"url": reverse("dashboard:program_status", args=[self.code, target]), "label": label, "icon": icon}
                for target, label, icon in steps(program)
            ],
            "subpages": self.subpages(),
            "passes": previews.passes(program, self.desk.merchant),
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
            found = review(form, changes, self.today())
            return self.page("dashboard/settings_review.html", form=form, changes=found)
        programs.update(
            merchant_id=self.merchant_id,
            program_id=form.program.pk,
            data=changes,
            user_id=self.actor_id,
            at=timezone.now(),
        )
        return self.to("settings", self.code, text=gettext("Saved. The new rules apply."))


class ProgramStatusPage(ProgramPage):
    """Ask, then start, pause, resume or end the program; the end asks for the last day, and may move it later."""

    template_name = "dashboard/confirm.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what happens."""
        target, program = kwargs["status"], self.program()
        action = next((label for wanted, label, _icon in steps(program) if wanted == target), None)
        if action is None:
            raise NotFound
        form = EndForm(program=program, today=self.today()) if target == ProgramStatus.ENDED else None
        return self._ask(program, target, form)

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Change the status."""
        with self.scope():
            program = self.program()
        target, data, form = kwargs["status"], {"status": kwargs["status"]}, None
        if target == ProgramStatus.ENDED:
            form = EndForm(self.request.POST, program=program, today=self.today())
            if not form.is_valid():
                return self._ask(program, target, form, status=400)
            data |= form.last_day()
        try:
            programs.update(
                merchant_id=self.merchant_id,
                program_id=program.pk,
                data=data,
                user_id=self.actor_id,
                at=timezone.now(),
            )
        except NotFound:
            raise
        except ValidationFailed as error:
            if form is None:
                return self.back("settings", self.code, error=error)
            show_error(form, error)
            return self._ask(program, target, form, status=400)
        except DomainError as error:
            return self.back("settings", self.code, error=error)
        return self.to("settings", self.code, text=gettext("Done."))

    def _ask(self, program: Program, target: str, form: EndForm | None, status: int = 200) -> HttpResponse:
        title, text = QUESTIONS.get(target, (LAST_DAY, ""))
        if program.status == ProgramStatus.ENDED:
            title, text = LAST_DAY, _("Customers see this day on their card.")
        action = next((label for wanted, label, _icon in steps(program) if wanted == target), title)
        back_url = reverse("dashboard:settings", args=[self.code])
        return self.page(title=title, text=text, action=action, back_url=back_url, form=form, status=status)


def steps(program: Program) -> tuple[tuple[str, Promise, str], ...]:
    """Return what can be done with a program now: the status it would have, words, icon."""
    if program.status == ProgramStatus.ENDED:
        return ((ProgramStatus.ENDED, LAST_DAY, "clock"),)
    return LIFE[program.status]


def life_text(program: Program, today: date) -> str:
    """Say in a sentence where the program stands."""
    if program.status != ProgramStatus.ENDED or program.ends_on is None:
        return str(STATES[program.status][0])
    day = localdate(program.ends_on, "long")
    if program.ends_on < today:
        return gettext("Ended. Rewards were handed out until %(day)s.") % {"day": day}
    return gettext("Ended. Rewards are handed out until %(day)s.") % {"day": day}


def review(form: ProgramForm, changes: dict[str, Any], today: date) -> list[Change]:
    """Return what would change and for whom, in words."""
    found = []
    for name, value in changes.items():
        field = FACES.get(name, name)
        label = str(form.fields[field].label)
        old, new = _shown(form, field, form.initial), _shown(form, field, form.cleaned_data)
        found.append(Change(label, old, new, _applies(form.program, name, value, today)))
    return found


def _applies(program: Program, name: str, value: Any, today: date) -> str:
    """Say to whom a change applies."""
    sooner = name == "points_expiration_days" and expiry.comes_sooner(program.points_expiration_days, value)
    if sooner and program.status != ProgramStatus.DRAFT:
        day = localdate(expiry.not_before(today), "long")
        return gettext(
            "Counts from now on, for all cards. No points expire before %(day)s, so that everybody can be told."
        ) % {"day": day}  # fmt: skip
    return str(SPECIAL.get(name) or APPLIES[rules.applies_to(name)])


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
