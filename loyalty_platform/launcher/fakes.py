"""`make run FAKES=1`: servers that stand for Apple's push service and Google Wallet, and a page with a phone.

They are those of the tests (`tests/fakes`), in one process beside the stack; their keys and certificates are in
`var/fakes`. Nobody outside this machine is asked.
"""

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loyalty_platform.launcher import process
from loyalty_platform.launcher.errors import CannotStart

PASS_TYPE, TEAM, ISSUER = "pass.dev.stempel.fakes", "FAKES12345", "3388000000012345678"
START_SECONDS = 20
PORTS_AFTER = 10


@dataclass(frozen=True)
class Ports:
    """Where the fakes listen."""

    phone: int
    google: int
    apns: int


def choose_ports(site_port: int) -> Ports:
    """Return three ports: ten above the site's while they are free, so that a restart finds the same ones."""
    chosen: list[int] = []
    for wanted in range(site_port + PORTS_AFTER, site_port + PORTS_AFTER + 3):
        chosen.append(wanted if wanted < 65536 and _is_free(wanted) else _any_free(chosen))
    return Ports(*chosen)


class Fakes:
    """The process of the fakes: started, watched and stopped like an embedded server."""

    def __init__(
        self, *, root: Path, var: Path, log: Path, ports: Ports, site_url: str, env: Mapping[str, str]
    ) -> None:
        self.root, self.folder, self.log, self.ports, self.site_url = root, var / "fakes", log, ports, site_url
        self.env = dict(env)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def phone_url(self) -> str:
        """The page with the phone."""
        return f"http://127.0.0.1:{self.ports.phone}"

    def environment(self) -> dict[str, str]:
        """Return what makes the product talk to the fakes, and sign with their certificates."""
        google = f"http://127.0.0.1:{self.ports.google}"
        return {
            "LOYALTY_GOOGLE_ISSUER_ID": ISSUER,
            "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON": str(self.folder / "service-account.json"),
            "LOYALTY_GOOGLE_API_BASE": google,
            "LOYALTY_GOOGLE_CALLBACK_KEYS_URL": f"{self.phone_url}/google/keys",
            "LOYALTY_APPLE_PASS_TYPE_ID": PASS_TYPE,
            "LOYALTY_APPLE_TEAM_ID": TEAM,
            "LOYALTY_APPLE_WWDR_CERT_PATH": str(self.folder / "wwdr.pem"),
            "LOYALTY_APPLE_SIGNER_CERT_PATH": str(self.folder / "signer.pem"),
            "LOYALTY_APPLE_SIGNER_KEY_PATH": str(self.folder / "signer.key"),
            "LOYALTY_APPLE_APNS_URL": f"https://127.0.0.1:{self.ports.apns}",
            "LOYALTY_APPLE_APNS_CA_PATH": str(self.folder / "apns-ca.pem"),
        }

    def start(self) -> None:
        """Start and wait until the phone's page answers."""
        if not (self.root / "tests" / "fakes" / "__main__.py").exists():
            raise CannotStart("The fakes belong to the tests, and there is no folder tests/fakes here.")
        command = [sys.executable, "-m", "tests.fakes", "--folder", str(self.folder), "--site", self.site_url]
        command += ["--pass-type", PASS_TYPE, "--team", TEAM, "--issuer", ISSUER]
        for name in ("phone", "google", "apns"):
            command += [f"--{name}", str(getattr(self.ports, name))]
        self.process = process.spawn(command, log=self.log, env=self.env, cwd=self.root)
        if not process.wait_until(lambda: not self.alive() or self._answers(), START_SECONDS) or not self.alive():
            raise CannotStart(f"The fakes do not start. The end of {self.log}:\n{process.log_tail(self.log)}")

    def alive(self) -> bool:
        """Tell whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop at once."""
        if self.process is not None:
            process.stop_group(self.process.pid, gone=lambda: not self.alive(), first=signal.SIGTERM, patience=5)
        self.process = None

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports.phone, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free(taken: list[int]) -> int:
    while True:
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
