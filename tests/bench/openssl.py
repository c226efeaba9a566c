"""What a core can sign: `openssl speed`, the yardstick of passes and save links."""

import re
import subprocess

# "+F2:<number>:<bits>:<signatures a second>:<verifications a second>"; time is the processor's.
SIGNS = re.compile(r"^\+F2:[0-9]+:2048:(?P<rate>[0-9.]+)", re.MULTILINE)


def signatures(seconds: int) -> float:
    """Return how many RSA signatures of 2048 bits openssl makes in one second of the processor."""
    command = ["openssl", "speed", "-mr", "-seconds", str(seconds), "rsa2048"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = SIGNS.search(done.stdout)
    assert found, done.stdout
    return float(found["rate"])
