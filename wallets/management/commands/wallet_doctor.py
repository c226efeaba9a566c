"""Examine the credentials of both wallets, end to end, and name what is wrong; or take a .p12 apart."""

import getpass
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core import badges
from wallets.enums import Provider
from wallets.providers.apple import keychain
from wallets.providers.errors import BrokenCredential
from wallets.providers.findings import Finding
from wallets.services import examinations


class Command(BaseCommand):
    """Exit status 1 on any fault. Nothing is changed at Apple or Google, and no pass is touched."""

    help = "Examine the credentials of Apple Wallet and Google Wallet end to end; exit 1 on any fault."
    requires_migrations_checks = False
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say which wallet, whether the provider is asked, and which .p12."""
        parser.add_argument("--wallet", choices=Provider.values, help="only this one; then its settings must be there")
        parser.add_argument("--offline", action="store_true", help="look at settings and files, ask nobody")
        parser.add_argument("--p12", type=Path, metavar="FILE", help="read a .p12 of Keychain Access instead")
        parser.add_argument("--password-env", metavar="NAME", help="the variable that holds the .p12's password")
        parser.add_argument(
            "--write", type=Path, metavar="DIR", help="write the .p12's certificate and key as PEM files"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, print, and end with 1 on any fault."""
        if options["write"] and not options["p12"]:
            raise CommandError("--write goes with --p12.")
        fine = self._p12(options) if options["p12"] else self._wallets(options["wallet"], options["offline"])
        if not fine:
            sys.exit(1)

    def _wallets(self, chosen: str | None, offline: bool) -> bool:
        names = {name for wanted in examinations.SETTINGS.values() for name in wanted}
        values = {name: str(getattr(settings, name)) for name in names}
        fine, examined = True, 0
        for provider in Provider:
            if chosen not in (None, provider):
                continue
            if chosen is None and not examinations.is_set_up(provider, values):
                missing = ", ".join(examinations.SETTINGS[provider])
                self.stdout.write(f"{provider.label}: not set up ({missing} are not set).")
                continue
            examined += 1
            self.stdout.write(f"{provider.label}:")
            fine &= self._print(examinations.examine(provider, at=timezone.now(), offline=offline))
        if not examined:
            self.stdout.write("No wallet is set up: cards live on the web. See docs/wallets.md.")
        return self._badges() and fine and examined > 0

    def _badges(self) -> bool:
        found = [
            Finding(name, fault, note="" if fault else "shown as it is", code="not_a_badge" if fault else "")
            for name, fault in badges.examine()
        ]
        if found:
            self.stdout.write(f"Badges in {settings.LOYALTY_WALLET_BADGES_DIR}:")
        return self._print(found)

    def _p12(self, options: dict[str, Any]) -> bool:
        path: Path = options["p12"]
        try:
            found = keychain.read(path.read_bytes(), self._password(options["password_env"]))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except BrokenCredential as error:
            self._print([Finding(path.name, str(error), code="broken")])
            return False
        self.stdout.write(f"{path}:")
        fine = self._print(keychain.examine(found, at=timezone.now()))
        folder = options["write"]
        if folder is None:
            self.stdout.write(f"Files to write (--write DIR): {', '.join(keychain.files(found))}.")
        elif fine:
            self._write(found, folder)
        self.stdout.write("Settings:")
        for name, value in keychain.settings_for(
            found, (folder or Path("DIR")).absolute() if folder else Path("DIR")
        ).items():
            self.stdout.write(f"  {name}={value}")
        return fine

    def _write(self, found: keychain.Keychain, folder: Path) -> None:
        try:
            written = keychain.write(found, folder)
        except FileExistsError as error:
            raise CommandError(f"{error} is there already; move it away first.") from error
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Written: {', '.join(str(path) for path in written)}.")

    def _password(self, variable: str | None) -> str | None:
        if variable is not None:
            if variable not in os.environ:
                raise CommandError(f"The variable {variable} is not set.")
            return os.environ[variable] or None
        return getpass.getpass("Password of the .p12 (empty for none): ") or None if sys.stdin.isatty() else None

    def _print(self, found: Iterable[Finding]) -> bool:
        fine = True
        for finding in found:
            fine &= finding.is_fine
            mark, text = ("ok   ", finding.note) if finding.is_fine else ("FAULT", f"{finding.fault} [{finding.code}]")
            write = self.style.SUCCESS if finding.is_fine else self.style.ERROR
            self.stdout.write(f"  {write(mark)} {finding.what}: {text}")
        return fine
