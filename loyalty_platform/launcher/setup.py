"""Makes the virtual environment of this clone from a lock file; needs nothing but the standard library.

Run as a file (`python3 loyalty_platform/launcher/setup.py run|local`), before anything is installed. It must be
readable by old Pythons too, so that they can say what is wrong.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

MINIMUM = (3, 11)
NEWEST_KNOWN = 16
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, ".installed.json")
# A larger set contains the smaller ones.
CONTAINS = {"run": ["run"], "local": ["run", "local"]}


def main(wanted):
    """Bring the environment up to the lock file `wanted`; returns the exit status."""
    if sys.version_info < MINIMUM:
        return _start_again_with_newer(wanted)
    if os.name != "posix":
        return _refuse("This runs on Linux and macOS; on Windows use WSL.")
    hashes = {name: _hash(name) for name in CONTAINS[wanted]}
    if _fresh(hashes):
        return 0
    with _Lock():
        if _fresh(hashes):
            return 0
        return _build(wanted, hashes)


def _build(wanted, hashes):
    if not _works():
        print("Making the virtual environment in .venv ...", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], cwd=ROOT, check=False)
        if made.returncode:
            return _refuse("Python's venv module does not work here; on Debian and Ubuntu install python3-venv.")
    print("Installing the locked requirements (once; half a minute to a minute) ...", flush=True)
    command = [
        VENV_PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-compile",
    ]
    command += ["--require-hashes", "-r", os.path.join("requirements", wanted + ".txt")]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        return _refuse("The requirements could not be installed; the lines above say why. Is the network there?")
    kept = _stamp()
    kept["packages"] = dict(kept.get("packages", {}), **hashes)
    with open(STAMP + ".new", "w") as file:
        json.dump(kept, file)
    os.replace(STAMP + ".new", STAMP)
    return 0


def _fresh(hashes):
    installed = _stamp().get("packages", {})
    return all(installed.get(name) == value for name, value in hashes.items()) and os.access(VENV_PYTHON, os.X_OK)


def _stamp():
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def _hash(name):
    with open(os.path.join(ROOT, "requirements", name + ".txt"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _works():
    """Tell whether there is an environment with a Python that starts, is new enough and has pip."""
    probe = "import sys, pip; sys.exit(sys.version_info < (%d, %d))" % MINIMUM
    try:
        done = subprocess.run(
            [VENV_PYTHON, "-c", probe], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def _start_again_with_newer(wanted):
    for minor in range(NEWEST_KNOWN, MINIMUM[1] - 1, -1):
        other = shutil.which("python3.%d" % minor)
        if other and subprocess.call([other, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(other, [other, os.path.abspath(__file__), wanted])  # noqa: S606 - no shell is wanted
    return _refuse("Python 3.11 or newer is needed; this is %d.%d." % sys.version_info[:2])


def _refuse(sentence):
    sys.stderr.write(sentence + "\n")
    return 1


class _Lock:
    """Only one of several starts installs; the others wait for it."""

    def __enter__(self):
        import fcntl

        self.file = open(os.path.join(ROOT, ".venv.lock"), "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *error):
        self.file.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "local"))
