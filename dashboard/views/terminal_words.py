"""The sentences that the terminal's scripts say, in the reader's language; the page carries them as data."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.views.terminal_words_offline import camera_words, offline_words

Text = str | dict[str, str]


def words() -> dict[str, Text]:
    """Return every sentence by name; one that counts has the forms `one` and `other`, chosen by the script."""
    return {
        **_bar(),
        **offline_words(),
        **camera_words(),
        **_staff(),
        **_card(),
        **_giving(),
        **_given(),
        **_rows(),
        **_refusals(),
    }


def _forms(counted: Callable[[int], str]) -> dict[str, str]:
    return {"one": counted(1), "other": counted(2)}


def _bar() -> dict[str, Text]:
    return {
        "online": _("Online"),
        "no_connection": _("No connection"),
        "locks_in": _forms(
            lambda n: ngettext(
                "Locks in %(count)s second. Touch to stay.", "Locks in %(count)s seconds. Touch to stay.", n
            )
        ),
        "lock_person": _("%(name)s: lock"),
        "locked_idle": _("Locked after a quiet while."),
        "locked_time": _("Locked. A PIN holds for 15 minutes."),
        "card_waits": _("The card is read. Who gives the stamp?"),
    }


def _staff() -> dict[str, Text]:
    return {
        "wrong_pin": _("Wrong PIN."),
        "wrong_pin_left": _forms(
            lambda n: ngettext("Wrong PIN. %(count)s try left", "Wrong PIN. %(count)s tries left", n)
        ),
        "wrong_pin_last": _("Wrong PIN. No tries left for now. A manager can unlock it."),
        "pin_locked": _("Locked until %(time)s. A manager can unlock it sooner."),
        "pin_again": _("For this, enter your PIN once more."),
        "pin_short": _("A PIN has at least four digits."),
        "pin_digits": _forms(lambda n: ngettext("%(count)s digit typed", "%(count)s digits typed", n)),
        "hello": _("%(name)s is at the till."),
    }


def _card() -> dict[str, Text]:
    return {
        "card": _("Card"),
        "last_visit": _("Last visit %(day)s"),
        "first_visit": _("First visit"),
        "today": _("today, %(time)s"),
        "count_of": _("%(count)s of %(target)s"),
        "to_go": _forms(lambda n: ngettext("%(count)s to go", "%(count)s to go", n)),
        "full": _("Full"),
        "points": _forms(lambda n: ngettext("%(count)s point", "%(count)s points", n)),
        "debt": _forms(lambda n: ngettext("%(count)s point owed", "%(count)s points owed", n)),
        "to_next": _("%(amount)s to the next point"),
        "times": _("%(count)s × %(name)s"),
        "issued": _("Issued %(day)s"),
        "valid_until": _("Valid until %(day)s"),
        "for_points": _forms(lambda n: ngettext("For %(count)s point", "For %(count)s points", n)),
        "left_today": _forms(lambda n: ngettext("%(count)s more possible today", "%(count)s more possible today", n)),
        "found": _forms(lambda n: ngettext("%(count)s card found", "%(count)s cards found", n)),
    }


def _giving() -> dict[str, Text]:
    return {
        "give_stamps": _forms(lambda n: ngettext("Give %(count)s stamp", "Give %(count)s stamps", n)),
        "give_points": _forms(lambda n: ngettext("Give %(count)s point", "Give %(count)s points", n)),
        "give_both": _forms(
            lambda n: ngettext("Give a stamp and %(count)s point", "Give a stamp and %(count)s points", n)
        ),
        "book": _("Book the purchase"),
        "type_amount": _("Type the amount of the purchase."),
        "worth": _forms(lambda n: ngettext("= %(count)s point", "= %(count)s points", n)),
        "worth_next": _forms(
            lambda n: ngettext(
                "= %(count)s point · %(amount)s to the next", "= %(count)s points · %(amount)s to the next", n
            )
        ),
        "no_stamp": _("Points only. %(why)s"),
    }


def _given() -> dict[str, Text]:
    return {
        "sending": _("Sending"),
        "stamps_given": _forms(lambda n: ngettext("Stamp given to %(name)s", "%(count)s stamps given to %(name)s", n)),
        "points_given": _("Given to %(name)s · %(balance)s now"),
        "points_plus": _forms(lambda n: ngettext("+%(count)s point", "+%(count)s points", n)),
        "stamps_now": _forms(lambda n: ngettext("%(count)s of %(target)s stamps", "%(count)s of %(target)s stamps", n)),
        "welcome_bonus": _forms(
            lambda n: ngettext("with %(count)s point as a welcome", "with %(count)s points as a welcome", n)
        ),
        "reward_ready": _("%(name)s is ready"),
        "card_full": _("Card full for %(name)s"),
        "handed_out": _("Handed out to %(name)s"),
        "undone": _("Taken back from %(name)s"),
        "undo_seconds": _forms(lambda n: ngettext("Undo, %(count)s second left", "Undo, %(count)s seconds left", n)),
        "undo_reason": _("Undone at the till"),
        "correct_reason": _("Corrected at the till"),
        "joined": _("New card %(number)s"),
    }


def _rows() -> dict[str, Text]:
    return {
        "row_stamps": _forms(lambda n: ngettext("%(sign)s%(count)s stamp", "%(sign)s%(count)s stamps", n)),
        "row_points": _forms(lambda n: ngettext("%(sign)s%(count)s point", "%(sign)s%(count)s points", n)),
        "row_card_enrolled": _("Card made"),
        "row_reward_issued": _("Reward ready"),
        "row_redeemed": _("Reward handed out"),
        "row_void": _("Undone"),
        "row_refund": _("Refund"),
        "row_adjustment": _("Corrected by a manager"),
        "row_points_expired": _("Points expired"),
        "row_welcome_bonus": _("Welcome bonus"),
        "row_merge_in": _("Joined with another card"),
        "row_merge_out": _("Joined into another card"),
        "row_import": _("Brought along"),
        "row_was_undone": _("undone"),
        "undo_until": _("Undo until %(time)s"),
    }


def _refusals() -> dict[str, Text]:
    return {
        "nothing_given": _("Nothing was given."),
        "next_waits": _("The next card is read. It opens after this."),
        "cooldown_active": _("Next stamp possible at %(time)s"),
        "daily_limit_reached": _("All stamps of today are given. More from %(time)s."),
        "duplicate_title": _("Just booked at %(time)s. Once more?"),
        "duplicate_now": _("The same was booked a moment ago. Once more?"),
        "duplicate_text": _("The same card, the same amount, by the same person."),
        "once_more": _("Yes, once more"),
        "leave_it": _("No, leave it"),
        "card_full_title": _("The card is full"),
        "card_full_text": _("Hand out the reward first, then stamps go on."),
        "program_not_active": _("The programme rests. Rewards can still be handed out."),
        "card_not_active": _("This card is not active. A manager sees why in the back office."),
        "merchant_suspended": _("The account rests. The owner knows more."),
        "own_card": _("This is your own card. Somebody else can book it."),
        "store_not_in_program": _("This card is not valid in this store."),
        "cross_store_redemption_off": _("Rewards of this card are handed out in the store it comes from."),
        "reward_not_available": _("This reward is not on offer any more."),
        "insufficient": _("Not enough on the card for this reward yet."),
        "card_busy": _("The card is in use at another till. Try again in a moment."),
        "not_found_title": _("No card here by that"),
        "not_found_text": _("Check the number, try the name, or make a new card."),
        "already_redeemed": _("Handed out already, at %(time)s."),
        "already_redeemed_by": _("Handed out already, at %(time)s by %(name)s."),
        "already_redeemed_plain": _("The reward was handed out already."),
        "void_window_closed": _("Too late to undo. A manager can correct it in the back office."),
        "network_title": _("No answer from the server"),
        "network_text": _("It is not sure that this was booked. Try again: it counts once, however often it is sent."),
        "offline_title": _("No connection"),
        "offline_text": _("Nothing was given. Try again when the connection is back."),
        "lookup_lost": _("The card could not be looked up. Check the connection and try again."),
        "try_again": _("Try again"),
        "signed_out_title": _("This till is signed out"),
        "signed_out_text": _("Pair it again with a code from a manager."),
        "pair_again": _("Pair this till"),
        "server_title": _("Something went wrong on our side"),
        "refused_title": _("Not possible now"),
    }
