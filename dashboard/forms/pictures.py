"""A picture to upload; what is in it is judged by the service."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form

TOO_LARGE = _("The file is too large: 5 MB at most.")


def picture_field(**kwargs: Any) -> forms.FileField:
    """Return the field of a picture."""
    return forms.FileField(
        error_messages={"missing": _("Choose a picture first."), "empty": _("The file is empty.")},
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        **kwargs,
    )


def say_too_large(form: Form, name: str, too_large: bool) -> None:
    """Let a field refuse that its file was dropped on the way in, which leaves nothing to look at."""
    if too_large:
        form.fields[name].required = True
        form.fields[name].error_messages["required"] = TOO_LARGE


class PictureForm(Form):
    """One file."""

    image = picture_field(label=_("Picture"), help_text=_("PNG, JPEG or WebP, 5 MB at most."))

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["image"].error_messages["required"] = _("Choose a picture first.")
        say_too_large(self, "image", too_large)
