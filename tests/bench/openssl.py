"""What a core can sign: `openssl speed`, the yardstick of passes and save links."""

import re
import statistics
import subprocess
from collections.abc import Callable

# "+F2:<number>:<bits>:<signatures a second>:<verifications a second>"; time is the processor's.
SIGNS = re.compile(r"^\+F2:[0-9]+:2048:(?P<rate>[0-9.]+)", re.MULTILINE)


def signatures(seconds: int) -> float:
    """Return how many RSA signatures of 2048 bits openssl makes in one second of the processor."""
    command = ["openssl", "speed", "-mr", "-seconds", str(seconds), "rsa2048"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = SIGNS.search(done.stdout)
    assert found, done.stdout
    return float(found["rate"])


def compare(what: str, ours: Callable[[int], float], *, rounds: int, seconds: int, wanted: float) -> int:
    """Measure `ours` and openssl in turns and print the ratio; the exit status says whether it is what is wanted.

    ours: how many of our things one second of the processor makes, measured for so many seconds.
    """
    measured = [(ours(seconds), signatures(seconds)) for _ in range(rounds)]
    ratio = statistics.median(mine / theirs for mine, theirs in measured)
    made, signed = (statistics.median(column) for column in zip(*measured, strict=True))
    print(f"{what:<16} {made:.0f}/s of one core, openssl rsa2048 {signed:.0f} signs/s")
    print(f"{what + ' ratio':<16} {ratio:.3f}  (wanted: {wanted:.2f})")
    return 0 if ratio >= wanted else 1
