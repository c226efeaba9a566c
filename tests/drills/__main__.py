"""Runs the drills, one after the other, on one stack; prints a line per promise, and exits 1 when one is red."""

import importlib
import os
import pkgutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import tests.drills
from tests.drills.found import Budget, Finding, Rest
from tests.drills.stack import Stack
from tests.drills.watchdog import Hung, limit
from tests.support.servers import ROOT

LOGS = ROOT / "var" / "drills"
BALANCE = 2
VERIFY_SECONDS = 240.0
# Whatever ends a drill before its time: it is red then, and the others still run.
FAULTS = (Exception, Hung)


def main(chosen: list[str]) -> int:
    """Run all drills, or those of the promises that are named by their numbers; returns the exit status."""
    budget = Budget.of(short=os.environ.get("SHORT", "") not in {"", "0"})
    modules = drills(chosen)
    if not modules:
        print(f"There is no drill for {' '.join(chosen)}.")
        return 1
    began = time.monotonic()
    with Stack() as stack:
        stack.begin()
        took = time.monotonic() - began
        print(f"{len(modules)} drills{' in short form' if budget.short else ''}; stack ready after {took:.0f} s")
        lines = Lines(stack)
        for module in modules:
            if module.PROMISE == BALANCE:
                lines.end_all(budget)
            lines.run(module, budget)
        lines.end_all(budget)
        if lines.red:
            stack.keep_logs(LOGS / "end")
            print(f"Red: {', '.join(map(str, sorted(lines.red)))}. The logs of the stack are in {LOGS}.")
    took = time.monotonic() - began
    print(f"{len(modules) - len(lines.red)} of {len(modules)} kept, {took:.0f} s in all", flush=True)
    if lines.hung:
        # What hung may have threads that never end, and Python would wait for them.
        os._exit(1)
    return 1 if lines.red else 0


def drills(chosen: list[str]) -> list[ModuleType]:
    """Return the drills in the order of their promises; the one on balances comes last and sums up."""
    names = (found.name for found in pkgutil.iter_modules(tests.drills.__path__))
    modules = [importlib.import_module(f"tests.drills.{name}") for name in names if name.startswith("promise_")]
    wanted = {int(number) for number in chosen} or {module.PROMISE for module in modules}
    found = (module for module in modules if module.PROMISE in wanted)
    return sorted(found, key=lambda module: (module.PROMISE == BALANCE, module.PROMISE))


class Lines:
    """What was found so far."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.red: set[int] = set()
        self.verified = self.differences = 0
        self.hung = False
        self.rests: list[tuple[ModuleType, Rest, float]] = []

    def run(self, module: ModuleType, budget: Budget) -> None:
        """Run one drill, verify all ledgers, and print its line; one with a rest is ended later."""
        began = time.monotonic()
        found = self._tried(module, budget, lambda: module.drill(self.stack, budget))
        took = time.monotonic() - began
        if isinstance(found, Rest):
            self.rests.append((module, found, took))
        else:
            self._print(module, found, took)

    def end_all(self, budget: Budget) -> None:
        """End the drills that had a rest."""
        while self.rests:
            module, rest, took = self.rests.pop(0)
            began = time.monotonic()
            found = self._tried(module, budget, rest.end)
            assert isinstance(found, Finding)
            self._print(module, found, took + time.monotonic() - began)

    def _print(self, module: ModuleType, finding: Finding, took: float) -> None:
        finding = self._verified(module, finding)
        if not finding.ok:
            self.red.add(module.PROMISE)
        word = "ok " if finding.ok else "RED"
        print(f"{module.PROMISE:>2}  {module.TITLE:<34} {word}  {finding.figure}   {took:.1f} s", flush=True)

    def _tried(self, module: ModuleType, budget: Budget, part: Callable[[], Finding | Rest]) -> Finding | Rest:
        logs = LOGS / f"{module.PROMISE:02}"
        try:
            with limit(budget.limit, LOGS / f"{module.PROMISE:02}-threads.txt"):
                self.stack.revive()
                found = part()
                self.stack.wait_until_healthy()
        except FAULTS as error:
            traceback.print_exc()
            self.hung |= isinstance(error, Hung)
            self.stack.keep_logs(logs)
            self._renew()
            return Finding(False, f"broke off: {type(error).__name__}: {str(error)[:200]}")
        return found

    def _renew(self) -> None:
        """Give the next drill a stack that is well, whatever this one left behind."""
        try:
            with limit(VERIFY_SECONDS, LOGS / "renew-threads.txt"):
                self.stack.renew()
        except FAULTS:  # the next drill says so, too
            traceback.print_exc()

    def _verified(self, module: ModuleType, finding: Finding) -> Finding:
        try:
            with limit(VERIFY_SECONDS, LOGS / "verify-threads.txt"):
                self.stack.revive()
                differences, said = self.stack.verify()
        except FAULTS as error:
            traceback.print_exc()
            self.hung |= isinstance(error, Hung)
            differences, said = -1, f"{type(error).__name__}: {error}"
        self.verified += 1
        self.differences += abs(differences)
        if differences:
            print(said[-4000:], file=sys.stderr)
            last = (said.splitlines() or ["nothing was said"])[-1]
            finding = Finding(False, f"{finding.figure}; verify_ledger: {last[:120]}")
        if module.PROMISE == BALANCE:
            sums = f"{self.differences} differences after {self.verified} drills"
            finding = replace(finding, ok=finding.ok and not self.differences, figure=f"{sums}; {finding.figure}")
        return finding


if __name__ == "__main__":
    # Whoever ends us, the stack ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
