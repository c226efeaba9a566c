"""What a web process does before it takes its first visitor, who would wait a second for it otherwise.

Addresses with their views, the templates of the back office, catalogues and the formats of every language: all of it is
read when it is first needed, and kept.
"""

from pathlib import Path

from django.conf import settings
from django.template.loader import get_template
from django.urls import get_resolver, reverse
from django.utils import timezone, translation

from core.templatetags import ui

FOLDERS = ("components", "dashboard", "admin/platform")


def warm_up() -> None:
    """Read what the first pages need."""
    get_resolver().url_patterns  # noqa: B018 - reading them imports every view
    reverse("dashboard:stats", args=["any"])
    for folder in settings.TEMPLATES[0]["DIRS"]:
        for file in (found for name in FOLDERS for found in sorted((Path(folder) / name).glob("*.html"))):
            get_template(str(file.relative_to(folder)))
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            now = timezone.now()
            ui.number(1000), ui.money(100, "EUR"), ui.localdate(now), ui.when(now), translation.gettext("Home")
