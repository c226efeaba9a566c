"""A picture to upload; what is in it is judged by the service."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form


class PictureForm(Form):
    """One file."""

    image = forms.FileField(
        label=_("Picture"),
        help_text=_("PNG, JPEG or WebP, 5 MB at most."),
        error_messages={"missing": _("Choose a picture first."), "empty": _("The file is empty.")},
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["image"].error_messages["required"] = _("Choose a picture first.")
        if too_large:
            self.fields["image"].error_messages["required"] = _("The file is too large: 5 MB at most.")
