"""What the till says without a connection and about its camera: the other half of terminal_words."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Text = str | dict[str, str]


def _forms(counted: Callable[[int], str]) -> dict[str, str]:
    return {"one": counted(1), "other": counted(2)}


def offline_words() -> dict[str, Text]:
    """Return the sentences about the connection, the queue and what became of it."""
    return {**_connection(), **_queue(), **_results(), **_decisions()}


def _connection() -> dict[str, Text]:
    return {
        "offline_strip": _("No connection. Stamps and points are saved here and sent later. Rewards wait."),
        "offline_kept": _forms(
            lambda n: ngettext(
                "No connection · %(count)s saved, oldest %(age)s", "No connection · %(count)s saved, oldest %(age)s", n
            )
        ),
        "age_now": _("under 1 min"),
        "age_minutes": _("%(count)s min"),
        "age_hours": _("%(count)s h"),
        "unknown_card": _("No connection: the card cannot be shown. What you give is saved here and sent later."),
        "number_mistyped": _("This number looks mistyped. Compare it with the card."),
        "search_offline": _("Without a connection a card opens by its code or its number."),
        "redeem_offline_title": _("Rewards need a connection"),
        "redeem_offline": _("Nothing was handed out. Stamps and points go on meanwhile."),
        "unproven_title": _("No connection: no PIN can be checked"),
        "unproven_text": _("What %(name)s gives now is saved and waits for a manager."),
        "unproven_go": _("Go on as %(name)s"),
        "unproven_back": _("Another person"),
        "locked_online": _("The connection is back. Enter your PIN."),
    }


def _queue() -> dict[str, Text]:
    return {
        "oldest": _("saved, oldest %(age)s"),
        "kept_label": _forms(
            lambda n: ngettext(
                "%(count)s saved, oldest %(age)s: show it", "%(count)s saved, oldest %(age)s: show them", n
            )
        ),
        "kept_lead": _forms(
            lambda n: ngettext(
                "%(count)s is waiting, saved %(age)s ago",
                "%(count)s are waiting, the oldest saved %(age)s ago",
                n,
            )
        ),
        "kept_none": _("Everything is sent."),
        "kept_stamps": _forms(lambda n: ngettext("%(count)s stamp saved", "%(count)s stamps saved", n)),
        "kept_sale": _("%(amount)s saved"),
        "kept_for": _("%(name)s · sent when the connection is back"),
        "kept_gone": _("It is on its way already. Use Correct on the card."),
        "kept_unproven": _("Without a PIN: a manager decides"),
        "kept_file": _("saved-at-the-till"),
        "show_them": _("Show them"),
    }


def _results() -> dict[str, Text]:
    return {
        "sent_list": _("Sent"),
        "sent_all": _forms(
            lambda n: ngettext(
                "%(count)s saved item is sent and given.", "All %(count)s saved items are sent and given.", n
            )
        ),
        "sent_some": _forms(
            lambda n: ngettext(
                "Sent: %(given)s given, %(count)s was not.", "Sent: %(given)s given, %(count)s were not.", n
            )
        ),
        "state_waiting": _("Waiting"),
        "state_given": _("Given"),
        "state_review": _("With a manager"),
        "state_refused": _("Not given"),
    }


def _decisions() -> dict[str, Text]:
    return {
        "held_signed_out": _forms(
            lambda n: ngettext(
                "This till is signed out. %(count)s saved item stays here until a manager decides.",
                "This till is signed out. %(count)s saved items stay here until a manager decides.",
                n,
            )
        ),
        "held_other": _forms(
            lambda n: ngettext(
                "%(count)s item was saved under another sign-in of this device. A manager decides.",
                "%(count)s items were saved under another sign-in of this device. A manager decides.",
                n,
            )
        ),
        "discarded": _forms(
            lambda n: ngettext("%(count)s item is thrown away.", "%(count)s items are thrown away.", n)
        ),
        "discard_lost": _("Nothing was thrown away. Check the connection and try again."),
    }


def camera_words() -> dict[str, Text]:
    """Return the sentences about the camera and why it may be off."""
    return {
        "camera_on": _("Hold the card’s code in the frame"),
        "camera_off": _("Scan the card, or type its number"),
        "camera_asking": _("Allow the camera when the browser asks"),
        "camera_foreign": _("This code is not a card"),
        "camera_denied": _("The camera is off for this page"),
        "camera_none": _("No camera here"),
        "camera_none_text": _("A scanner works, and so does the number."),
        "camera_busy": _("The camera is in use by another app"),
        "camera_busy_text": _("Close the other app, then try again. The number works meanwhile."),
        "camera_insecure": _("The camera needs a secure address"),
        "camera_insecure_text": _("Open the till with https. The number works meanwhile."),
        "camera_failed": _("The camera does not start"),
        "camera_allow_chrome": _("Tap the sign left of the address, then Permissions, and switch the camera on."),
        "camera_allow_safari": _("Tap aA beside the address, then Website Settings, then Camera, and choose Allow."),
        "camera_allow_firefox": _("Tap the lock beside the address and remove the block of the camera."),
        "camera_allow_app": _("Open the settings of this device, then this app, and allow the camera."),
    }
