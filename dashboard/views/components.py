"""The living style page: every component in its states, light and dark. Without DEBUG it is not there."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard.queries import previews
from loyalty.enums import LoyaltyType
from merchants.models import Merchant

THEMES = ("auto", "light", "dark")
TONES = ("", "ok", "gold", "warn", "bad", "ink")
ICONS = ("cup", "scissors", "hanger", "fork", "loaf", "paw", "flower", "star")
TRAYS = ((0, 10, 0), (7, 10, 1), (9, 10, 0), (10, 10, 0), (8, 12, 0), (3, 5, 0), (17, 30, 2))
SPARK = "M0 30 40 22 80 26 120 12 160 16 200 6"
TARGET, COUNT, POINTS, GOAL = 10, 7, 240, 300


class SampleForm(forms.Form):
    """A form with one field of each kind."""

    name = forms.CharField(label="Name of the card", help_text="Everybody sees it.", max_length=80)
    email = forms.EmailField(label="E-mail", required=False)
    color = forms.CharField(label="Colour", widget=forms.TextInput(attrs={"type": "color"}))
    country = forms.ChoiceField(label="Country", choices=[("lu", "Luxembourg"), ("fr", "France")])
    full = forms.ChoiceField(
        label="When a card is full", choices=[("a", "Start the next one"), ("b", "Collect first")],
        widget=forms.RadioSelect,
    )  # fmt: skip
    news = forms.BooleanField(label="Reward news by e-mail", required=False)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show it; raises Http404 without DEBUG."""
    if not settings.DEBUG:
        raise Http404
    theme = request.GET.get("theme", "auto")
    return render(request, "dashboard/components.html", context(theme if theme in THEMES else "auto"))


def context(theme: str) -> dict[str, Any]:
    """Return an example for each component."""
    return {
        "shown_theme": theme,
        "themes": THEMES,
        "tones": TONES,
        "trades": ICONS,
        "trays": [{"count": count, "target": target, "fresh": fresh} for count, target, fresh in TRAYS],
        "fresh_form": SampleForm(initial={"name": "CoffeeLux", "color": "#5A2D1A"}),
        "wrong_form": SampleForm({"email": "marie@", "color": "#5A2D1A"}, auto_id="wrong_%s"),
        "faces": [_face(kind) for kind in LoyaltyType.values],
        "passes": previews.planned(
            Merchant(name="CoffeeLux Gare Centrale"), LoyaltyType.STAMPS,
            {"name": "CoffeeLux", "stamps_target": TARGET, "stamps_reward_description": "Free coffee"},
        ),
        "trade_icon": "cup",
        "spark": {"line": SPARK, "area": f"{SPARK}V40H0Z"},
    }  # fmt: skip


def _face(kind: str) -> dict[str, Any]:
    return {
        "kind": kind, "count": COUNT, "target": TARGET, "to_go": TARGET - COUNT, "reward": "Free coffee",
        "points": POINTS, "points_goal": GOAL, "points_to_go": GOAL - POINTS, "points_reward": "Tote bag",
    }  # fmt: skip
