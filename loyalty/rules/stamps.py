"""Rules of stamps: cooldown, daily limit, full cards, completed cycles (rules 6, 8, 14, 15)."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from loyalty.rules import timing
from loyalty.rules.states import CardState, ProgramRules

MAX_QUANTITY = 50


class CooldownActive(DomainError):
    """The last stamp is too recent; `next_stamp_available_at` says when the next one is possible."""

    code = "cooldown_active"
    message = _("This card was stamped a moment ago.")


class DailyLimitReached(DomainError):
    """The card's stamps of this business day are used up; `resets_at` says when the next day begins."""

    code = "daily_limit_reached"
    message = _("This card has all the stamps it can get today.")


class CardFull(DomainError):
    """The card is full and its reward is to be collected first."""

    code = "card_full"
    message = _("This card is full. Hand out its reward first.")


@dataclass(frozen=True, slots=True)
class Completion:
    """A full card: the reward to issue, the stamps it used, and those that stay on the card until it is collected."""

    reward: str
    stamps_used: int
    stamps_held: int


@dataclass(frozen=True, slots=True)
class Given:
    """What giving stamps makes of a card."""

    quantity: int
    count_after: int
    target_after: int
    reward_after: str
    today_after: int
    completions: tuple[Completion, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens: the instant, the store's business day of it, and the instant at which that day ends."""

    at: datetime
    day: date
    day_ends_at: datetime


def give(card: CardState, rules: ProgramRules, quantity: int, moment: Moment) -> Given:
    """Decide what `quantity` stamps make of the card.

    Raises CardFull, CooldownActive or DailyLimitReached, in this order, and then nothing is given at all.
    """
    check_room(card, rules, quantity)
    check_cooldown(card, rules, moment)
    check_daily_limit(card, rules, quantity, moment)
    count, completions = card.stamp_count + quantity, []
    target, reward = card.stamps_target, card.stamps_reward
    if rules.full_card == "collect_first":
        if count == target:
            completions.append(Completion(reward, stamps_used=target, stamps_held=target))
    else:
        while count >= target:
            completions.append(Completion(reward, stamps_used=target, stamps_held=0))
            count -= target
            target, reward = rules.stamps_target, rules.stamps_reward_description
    return Given(quantity, count, target, reward, card.stamps_on(moment.day) + quantity, tuple(completions))


def check_room(card: CardState, rules: ProgramRules, quantity: int) -> None:
    """Raise CardFull when the card waits for its reward, or when a card that collects first would overflow."""
    full = card.stamp_count >= card.stamps_target
    overflow = rules.full_card == "collect_first" and card.stamp_count + quantity > card.stamps_target
    if full or overflow:
        raise CardFull(stamp_count=card.stamp_count, stamps_target=card.stamps_target)


def check_cooldown(card: CardState, rules: ProgramRules, moment: Moment) -> None:
    """Raise CooldownActive while the cooldown runs; exactly at its end a stamp is allowed."""
    ends = timing.cooldown_ends(card.last_stamp_at, rules.cooldown_minutes)
    if ends is not None and moment.at < ends:
        seconds = int((ends - moment.at).total_seconds()) + 1
        raise CooldownActive(
            retry_after=seconds, next_stamp_available_at=ends, last_stamp_at=card.last_stamp_at
        )  # fmt: skip


def check_daily_limit(card: CardState, rules: ProgramRules, quantity: int, moment: Moment) -> None:
    """Raise DailyLimitReached when the day's stamps would exceed the limit; nothing is given in part."""
    given = card.stamps_on(moment.day)
    if rules.max_daily_stamps and given + quantity > rules.max_daily_stamps:
        raise DailyLimitReached(
            resets_at=moment.day_ends_at,
            stamps_today=given,
            stamps_remaining_today=max(0, rules.max_daily_stamps - given),
        )


def next_possible(
    last_stamp_at: datetime | None, today: int, rules: ProgramRules, moment: Moment
) -> datetime | None:  # fmt: skip
    """Return when the next stamp is possible after `today` stamps on this day; None when at once."""
    ends = timing.cooldown_ends(last_stamp_at, rules.cooldown_minutes)
    if rules.max_daily_stamps and today >= rules.max_daily_stamps:
        ends = max(ends, moment.day_ends_at) if ends else moment.day_ends_at
    return ends if ends is not None and ends > moment.at else None


def remaining_today(today: int, rules: ProgramRules) -> int | None:
    """Return how many stamps the day still allows; None without a limit."""
    return max(0, rules.max_daily_stamps - today) if rules.max_daily_stamps else None
