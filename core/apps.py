"""App configuration of the ground floor."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers core with Django."""

    name = "core"
    verbose_name = "Core"
