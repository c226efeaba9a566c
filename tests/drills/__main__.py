"""Runs the drills, one after the other, on one stack; prints a line per promise, and exits 1 when one is red."""

import importlib
import os
import pkgutil
import signal
import sys
import time
import traceback
from dataclasses import replace
from types import ModuleType

import tests.drills
from tests.drills.found import Budget, Finding
from tests.drills.stack import Stack
from tests.support.servers import ROOT

LOGS = ROOT / "var" / "drills"
BALANCE = 2


def main(chosen: list[str]) -> int:
    """Run all drills, or those of the promises that are named by their numbers."""
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
            lines.run(module, budget)
        if lines.red:
            stack.keep_logs(LOGS / "end")
            print(f"Red: {', '.join(map(str, sorted(lines.red)))}. The logs of the stack are in {LOGS}.")
    print(f"{len(modules) - len(lines.red)} of {len(modules)} kept, {time.monotonic() - began:.0f} s in all")
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

    def run(self, module: ModuleType, budget: Budget) -> None:
        """Run one drill, verify all ledgers, and print its line."""
        began = time.monotonic()
        finding = self._tried(module, budget)
        took = time.monotonic() - began
        finding = self._verified(module, finding)
        if not finding.ok:
            self.red.add(module.PROMISE)
        word = "ok " if finding.ok else "RED"
        print(f"{module.PROMISE:>2}  {module.TITLE:<34} {word}  {finding.figure}   {took:.1f} s", flush=True)

    def _tried(self, module: ModuleType, budget: Budget) -> Finding:
        try:
            self.stack.revive()
            finding: Finding = module.drill(self.stack, budget)
            self.stack.wait_until_healthy()
        except Exception as error:  # noqa: BLE001 - one drill that breaks is red, and the others still run
            traceback.print_exc()
            self.stack.keep_logs(LOGS / f"{module.PROMISE:02}")
            return Finding(False, f"broke off: {type(error).__name__}: {str(error)[:200]}")
        return finding

    def _verified(self, module: ModuleType, finding: Finding) -> Finding:
        self.stack.revive()
        differences, said = self.stack.verify()
        self.verified += 1
        self.differences += abs(differences)
        if differences:
            print(said[-4000:], file=sys.stderr)
            finding = Finding(False, f"{finding.figure}; verify_ledger: {said.splitlines()[-1][:120]}")
        if module.PROMISE == BALANCE:
            sums = f"{self.differences} differences after {self.verified} drills"
            finding = replace(finding, ok=finding.ok and not self.differences, figure=f"{sums}; {finding.figure}")
        return finding


if __name__ == "__main__":
    # Whoever ends us, the stack ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
