"""Whether Google takes our account, as one worker sees it: while it is refused, one of all workers tries at times."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from wallets.enums import Provider
from wallets.providers.base import Answer, Verdict
from wallets.services import breakers

NOTED_EVERY = timedelta(minutes=1)


class Gate:
    """The gate of one credential. open: whether anything may be sent; probing: whether it is to be one thing only."""

    def __init__(self, credential: str) -> None:
        self.credential = credential
        self.open, self.probing = True, False
        self._noted: datetime | None = None

    def allows(self, at: datetime) -> bool:
        """Tell whether something may be sent now; where the account is refused, whether the try that is due is ours."""
        state = breakers.state_of(provider=Provider.GOOGLE, credential=self.credential)
        if state.blocked_at is not None and not self.probing:
            self.probing = breakers.take_probe(provider=Provider.GOOGLE, credential=self.credential, at=at)
            self.open = self.probing
        return self.open

    def hear(self, answers: Iterable[Answer | None], *, at: datetime) -> None:
        """Close the gate when the account is refused, open it when something is accepted."""
        for answer in answers:
            if answer is not None and answer.verdict is Verdict.BLOCKED:
                self.open, self.probing = False, False
                reason = f"{answer.status}: {answer.reason}"
                breakers.block(provider=Provider.GOOGLE, credential=self.credential, reason=reason, at=at)
            elif answer is not None and answer.verdict is Verdict.ACCEPTED and self.open:
                self._accepted(at)

    def leave(self, at: datetime) -> None:
        """Let somebody else try when our try asked nothing."""
        if self.probing:
            breakers.give_probe_back(provider=Provider.GOOGLE, credential=self.credential, at=at)

    def _accepted(self, at: datetime) -> None:
        if self.probing or self._noted is None or at - self._noted >= NOTED_EVERY:
            self._noted, self.probing = at, False
            breakers.accept(provider=Provider.GOOGLE, credential=self.credential, at=at)
