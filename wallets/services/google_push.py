"""Google is told what changed: all that is due (`drain`), or one card for somebody who is adding it (`ensure`)."""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import DomainError, NotFound
from loyalty.models import Card
from wallets.enums import Priority, Provider
from wallets.models import GoogleClass, GooglePass
from wallets.providers.base import Answer, Verdict
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.providers.google import credentials
from wallets.providers.google.client import CLASS, OBJECT, Client, connect
from wallets.providers.google.credentials import ServiceAccount
from wallets.services import google_claims, google_plans, google_results, passes, queue
from wallets.services.google_exchange import Outcome, deliver
from wallets.services.google_gate import Gate
from wallets.services.google_plans import Plan, Prepared

THREADS = 10
# So many at a time, that whoever comes with something urgent waits for about a second at most.
ROOM, CLASSES = 16, 4
DRAIN_SECONDS = 50.0
SOON = timedelta(seconds=2)
SAVE_SECONDS = 4.0
LOOK_AGAIN_SECONDS = 0.1
logger = logging.getLogger(__name__)


class WalletUnavailable(DomainError):
    """The wallet's provider cannot be reached just now; the card itself is fine."""

    code, status, keep = "wallet_unavailable", 503, False
    message = _("Google Wallet is not reachable. Try again in a moment.")


@dataclass(frozen=True)
class Clock:
    """The time that goes on from a given moment."""

    at: datetime
    began: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return the moment it is."""
        return self.at + timedelta(seconds=self.passed())

    def passed(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self.began


def drain(*, at: datetime) -> bool:
    """Tell Google all that is due, classes before objects; returns whether time ran out before it was done.

    Without credentials, with unusable ones, or while Google refuses them, everything stays where it is.
    """
    try:
        account = credentials.current()
    except NotConfigured:
        return False
    except BrokenCredential as error:
        logger.warning("nothing is sent to Google: %s", error)
        return False
    gate = Gate(account.fingerprint)
    clock = Clock(at)
    if not gate.allows(at):
        return False
    try:
        return _Drain(connect(account), gate, clock).run()
    finally:
        gate.leave(clock.now())


class _Drain:
    """One worker's turn. Database work happens here, requests in the threads of the pool."""

    def __init__(self, client: Client, gate: Gate, clock: Clock) -> None:
        self.client, self.gate, self.clock = client, gate, clock
        self.pending: dict[Future[Outcome], Plan] = {}

    def run(self) -> bool:
        """Work until nothing is due; returns whether there may be more."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="google") as pool:
            while self.gate.open and self.clock.passed() < DRAIN_SECONDS:
                if len(self.pending) <= self._room() // 2:
                    self._fill(pool)
                if self.pending:
                    self._finish(timeout=1.0)
                elif not self._sleep_until_due():
                    return False
            while self.pending:
                self._finish(timeout=None)
        return self.gate.open

    def _room(self) -> int:
        return 1 if self.gate.probing else ROOM

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        at, issuer = self.clock.now(), self.client.account.issuer_id
        claimed = google_claims.classes(at=at, size=min(CLASSES, self._room()))
        self._begin(pool, CLASS, google_plans.of_classes(claimed, issuer_id=issuer, at=at) if claimed else None)
        room = self._room() - len(self.pending)
        updates = queue.claim(provider=Provider.GOOGLE, at=at, size=room) if room > 0 else []
        self._begin(pool, OBJECT, google_plans.of_objects(updates, issuer_id=issuer, at=at) if updates else None)

    def _begin(self, pool: ThreadPoolExecutor, kind: str, prepared: Prepared | None) -> None:
        if prepared is None:
            return
        google_results.settle(((kind, row) for row in prepared.settled), at=self.clock.now())
        for plan in prepared.plans:
            self.pending[pool.submit(deliver, self.client, plan.task)] = plan

    def _finish(self, *, timeout: float | None) -> None:
        done, _running = wait(self.pending, timeout=timeout, return_when=FIRST_COMPLETED)
        found = [(self.pending.pop(future), _result(future)) for future in done]
        self.gate.hear([outcome.answer for _plan, outcome in found if outcome.asked], at=self.clock.now())
        google_results.write(found, at=self.clock.now())

    def _sleep_until_due(self) -> bool:
        """Wait for what is due in a moment, such as a second try; False when there is nothing."""
        due, now = queue.next_due(provider=Provider.GOOGLE), self.clock.now()
        if due is None or due - now > SOON:
            return False
        time.sleep(max((due - now).total_seconds(), 0.01))
        return True


def _result(future: Future[Outcome]) -> Outcome:
    """Return what came of a task; a fault of our own counts as a lasting one."""
    try:
        return future.result()
    except Exception:
        logger.exception("a request to Google failed in our own code")
        return Outcome(Answer(Verdict.REFUSED, "a fault of our own, see the log"), asked=False)


def ensure(*, merchant_id: UUID, card_id: UUID, at: datetime) -> None:
    """See to it that a card is at Google, as it is now, for somebody who is adding it. Called outside of any scope.

    Raises WalletUnavailable when it is not there after some four seconds. A card that is there and not quite up to date
    is good enough then: its update follows.
    """
    try:
        account = credentials.current(merchant_id)
    except (NotConfigured, BrokenCredential) as error:
        raise WalletUnavailable from error
    saving = _Saving(account, merchant_id, card_id, Clock(at))
    try:
        saving.run()
    finally:
        saving.gate.leave(saving.clock.now())


class _Saving:
    """One card on its way to Google while somebody waits."""

    def __init__(self, account: ServiceAccount, merchant_id: UUID, card_id: UUID, clock: Clock) -> None:
        self.account, self.merchant_id, self.card_id, self.clock = account, merchant_id, card_id, clock
        self.gate = Gate(account.fingerprint)

    def run(self) -> None:
        """Work until the object is as it should be, or the time is over."""
        tried = 0
        while True:
            there, plans = self._look(claiming=tried < 3 and self.gate.allows(self.clock.now()))
            if there is None:
                return
            if plans is not None:
                tried += 1
                self._tell(plans)
                continue
            if self.clock.passed() > SAVE_SECONDS or not self.gate.open or tried >= 3:
                break
            time.sleep(LOOK_AGAIN_SECONDS)
        if not there:
            raise WalletUnavailable

    def _look(self, *, claiming: bool) -> tuple[bool | None, Prepared | None]:
        """Return whether the object is there (None: and up to date), and what we may tell Google about it now."""
        at, issuer = self.clock.now(), self.account.issuer_id
        left = max(SAVE_SECONDS - self.clock.passed(), 0.1)
        with tenancy.scope(self.merchant_id):
            row, above = self._rows(at)
            there = row.accepted_version > 0 and row.object_id.startswith(f"{issuer}.")
            if there and row.accepted_version >= row.requested_version:
                return None, None
            ready = above.accepted_version > 0 and above.class_id.startswith(f"{issuer}.")
            claim: Any = self._claim(row, above, at, ready=ready) if claiming else None
        if claim is None:
            return there, None
        read = google_plans.of_objects if ready else google_plans.of_classes
        prepared: Prepared = read([claim], issuer_id=issuer, at=at, seconds=left)
        google_results.settle(((OBJECT if ready else CLASS, one) for one in prepared.settled), at=at)
        return there, prepared

    def _rows(self, at: datetime) -> tuple[GooglePass, GoogleClass]:
        program_id = Card.objects.filter(pk=self.card_id).values_list("program_id", flat=True).first()
        if program_id is None:
            raise NotFound
        row = passes.google(self.card_id)
        row = GooglePass.objects.select_for_update(no_key=True).get(pk=row.pk)
        return row, passes.google_class(program_id, at)

    def _claim(self, row: GooglePass, above: GoogleClass, at: datetime, *, ready: bool) -> Any:
        if ready:
            queue.enqueue(
                merchant_id=self.merchant_id, card_id=self.card_id, provider=Provider.GOOGLE,
                version=row.requested_version, priority=Priority.SAVE, at=at,
            )  # fmt: skip
            return google_claims.one_object(self.card_id, at=at)
        if above.state not in ("queued", "inflight"):
            queue.request_class(program_id=above.program_id, at=at, priority=Priority.SAVE)
        return google_claims.one_class(above.program_id, at=at)

    def _tell(self, prepared: Prepared) -> None:
        client = connect(self.account)
        for plan in prepared.plans:
            outcome = deliver(client, replace(plan.task, priority=Priority.SAVE))
            self.gate.hear([outcome.answer] if outcome.asked else [], at=self.clock.now())
            google_results.write([(plan, outcome)], at=self.clock.now())
