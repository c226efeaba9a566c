"""PostgreSQL refuses to run as root: the ways to start it all the same, without opening a single directory.

1. An ordinary user starts it directly.
2. Root starts it in a user namespace in which root has another number: files stay root's.
3. Where namespaces are forbidden (many containers), root becomes `nobody` and keeps the right to pass directories.
4. Where that is forbidden too, root becomes `nobody`, which works if that user can reach the clone.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from loyalty_platform.launcher.errors import CannotStart
from loyalty_platform.launcher.process import works

CAPABILITIES = "+dac_override,+dac_read_search"


@dataclass(frozen=True, slots=True)
class Identity:
    """How to start the server: a command prefix, and the user that must own its files (None: we do)."""

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def wrap(self, command: list[str]) -> list[str]:
        """Return the command as it is to be started."""
        return [*self.prefix, *command]

    def own(self, *paths: Path) -> None:
        """Give files to the user that will run the server; as root only."""
        if os.geteuid() != 0:
            return
        uid, gid = self.owner or (0, 0)
        for path in paths:
            if path.exists() and path.stat().st_uid != uid:
                subprocess.run(["chown", "-R", "-h", f"{uid}:{gid}", str(path)], check=True)


def choose(program: Path) -> Identity:
    """Find the way that works here for a program, by trying it; raises CannotStart when none does."""
    if os.geteuid() != 0:
        return Identity()
    uid, gid = _ordinary_user()
    attempts = [*_namespace(uid, gid), *_capabilities(uid, gid), *_plain(uid, gid)]
    for attempt in attempts:
        # By way of `env`: setpriv itself has rights left which the program it starts has not.
        if works(attempt.wrap(["env", str(program), "-V"])):
            return attempt
    raise CannotStart(
        "PostgreSQL does not run as root, and neither user namespaces (unshare) nor a change of user (setpriv) work "
        "here. Start as an ordinary user, or put the clone where every user may read it, such as /srv."
    )


def _ordinary_user() -> tuple[int, int]:
    """Return a user that exists here (initdb wants to know its name) and is not root."""
    ordinary = sorted(
        (entry for entry in pwd.getpwall() if entry.pw_uid != 0), key=lambda entry: entry.pw_name != "nobody"
    )
    if not ordinary:
        raise CannotStart("PostgreSQL does not run as root, and this system knows no other user.")
    return ordinary[0].pw_uid, ordinary[0].pw_gid


def _namespace(uid: int, gid: int) -> list[Identity]:
    unshare = shutil.which("unshare")
    return [Identity((unshare, "--user", f"--map-user={uid}", f"--map-group={gid}"))] if unshare else []


def _capabilities(uid: int, gid: int) -> list[Identity]:
    setpriv = shutil.which("setpriv")
    if not setpriv:
        return []
    user = (setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    # Without the secure bit, access(2) would ignore the rights of a user that is not root.
    rights = (f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}", "--securebits=+no_setuid_fixup")
    return [Identity((*user, *rights), (uid, gid))]


def _plain(uid: int, gid: int) -> list[Identity]:
    setpriv = shutil.which("setpriv")
    return [Identity((setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"), (uid, gid))] if setpriv else []
