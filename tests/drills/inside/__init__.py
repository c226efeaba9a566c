"""The parts of drills that know the product from inside: processes of their own with its settings, beside the stack.

Each is started by a drill (`run`), makes what it needs through the product's services, attacks over real HTTP, and
prints what it found as JSON.
"""

import json
import subprocess
from typing import Any

from tests.drills.stack import Stack

SECONDS = 400.0


class BrokeOff(Exception):
    """A part ended without a result; the text is the end of what it said."""


def run(stack: Stack, part: str, *, env: dict[str, str] | None = None, **wanted: Any) -> dict[str, Any]:
    """Run a part of a drill beside the stack, or in another environment, and return what it found."""
    command = [stack.python, "-m", "tests.drills.inside", part, json.dumps({"base": stack.base, **wanted})]
    done = subprocess.run(
        command, cwd=stack.folder, env=env or stack.env, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode:
        raise BrokeOff(f"{part}: {(done.stdout + done.stderr)[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
