"""Rules of stamps: cooldown, daily limit, full cards, completed cycles (rules 6, 8, 14, 15)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

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
class Filled:
    """What some stamps make of a card's cycles."""

    count: int
    target: int
    reward: str
    completions: tuple[Completion, ...]


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


@dataclass(frozen=True, slots=True)
class Around:
    """The card's stamps around an instant that lies before its newest one: what the card's own figures cannot tell.

    before, after: the nearest stamps up to and after the instant; on_day: stamps of its business day.
    """

    before: datetime | None
    after: datetime | None
    on_day: int


def is_behind(card: CardState, moment: Moment) -> bool:
    """Tell whether something happened before the card's newest stamp, or on a day before the one it counts."""
    earlier = card.last_stamp_at is not None and moment.at < card.last_stamp_at
    return earlier or (card.stamps_day is not None and moment.day < card.stamps_day)


def give(
    card: CardState, rules: ProgramRules, quantity: int, moment: Moment, *, around: Around | None = None,
    limited: bool = True,
) -> Given:  # fmt: skip
    """Decide what `quantity` stamps make of the card.

    around: what stands around the moment, when it lies behind the card's newest stamp (`is_behind`). limited: False
    where a manager answers for cooldown and daily limit. Raises CardFull, CooldownActive or DailyLimitReached, in this
    order, and then nothing is given at all.
    """
    check_room(card, rules, quantity)
    if limited:
        check_cooldown(card, rules, moment, around)
        check_daily_limit(card, rules, quantity, moment, around)
    filled = fill(card.stamp_count + quantity, card.stamps_target, card.stamps_reward, rules)
    today = _on_day(card, moment, around) + quantity
    return Given(quantity, filled.count, filled.target, filled.reward, today, filled.completions)


def fill(count: int, target: int, reward: str, rules: ProgramRules) -> Filled:
    """Decide what a card with so many stamps is: the rewards it completes, and what is left for the running cycle.

    A card that collects first stays full at its target; beyond it (cards were merged) it completes like any other.
    """
    if rules.full_card == "collect_first" and count <= target:
        held = (Completion(reward, stamps_used=target, stamps_held=target),) if count == target else ()
        return Filled(count, target, reward, held)
    completions = []
    while count >= target:
        completions.append(Completion(reward, stamps_used=target, stamps_held=0))
        count -= target
        target, reward = rules.stamps_target, rules.stamps_reward_description
    return Filled(count, target, reward, tuple(completions))


def check_room(card: CardState, rules: ProgramRules, quantity: int) -> None:
    """Raise CardFull when the card waits for its reward, or when a card that collects first would overflow."""
    full = card.stamp_count >= card.stamps_target
    overflow = rules.full_card == "collect_first" and card.stamp_count + quantity > card.stamps_target
    if full or overflow:
        raise CardFull(stamp_count=card.stamp_count, stamps_target=card.stamps_target)


def check_cooldown(card: CardState, rules: ProgramRules, moment: Moment, around: Around | None = None) -> None:
    """Raise CooldownActive while the cooldown runs; exactly at its end a stamp is allowed.

    What arrives late must keep the distance to the stamps on both sides of it.
    """
    ends = timing.cooldown_ends(card.last_stamp_at, rules.cooldown_minutes)
    if around is not None:
        sides = (_near(around.before, rules, moment), _near(around.after, rules, moment))
        if ends is not None and any(sides):
            raise CooldownActive(next_stamp_available_at=ends, last_stamp_at=around.before or around.after)
        return
    if ends is not None and moment.at < ends:
        seconds = int((ends - moment.at).total_seconds()) + 1
        raise CooldownActive(
            retry_after=seconds, next_stamp_available_at=ends, last_stamp_at=card.last_stamp_at
        )  # fmt: skip


def _near(stamp_at: datetime | None, rules: ProgramRules, moment: Moment) -> bool:
    return stamp_at is not None and abs(moment.at - stamp_at) < timedelta(minutes=rules.cooldown_minutes)


def _on_day(card: CardState, moment: Moment, around: Around | None) -> int:
    """Return the stamps of the moment's day: the card counts its newest day, the ledger knows the earlier ones."""
    if around is None or card.stamps_day == moment.day:
        return card.stamps_on(moment.day)
    return around.on_day


def check_daily_limit(
    card: CardState, rules: ProgramRules, quantity: int, moment: Moment, around: Around | None = None
) -> None:
    """Raise DailyLimitReached when the day's stamps would exceed the limit; nothing is given in part."""
    given = _on_day(card, moment, around)
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
