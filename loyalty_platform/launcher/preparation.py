"""What must be done before serving: tables, translations, static files, demo data; each only when its input changed."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import polib

from loyalty_platform.launcher import process
from loyalty_platform.launcher.errors import CannotStart
from loyalty_platform.settings.development import APPLE_NAMES, write_private

SKIPPED_FOLDERS = {".git", ".venv", "var", "node_modules", "__pycache__", "tests", "docs"}


class Preparation:
    """The steps, and the memory of what they were done for."""

    def __init__(self, *, root: Path, var: Path, env: Mapping[str, str], database: str) -> None:
        self.root, self.var, self.env, self.database = root, var, dict(env), database
        self.memory = var / "prepared.json"
        self.logs = var / "log"
        self._started: list[subprocess.Popen[bytes]] = []

    def run(self) -> None:
        """Do every step whose input changed since it was last done."""
        files = list(project_files(self.root))
        migrations = [file for file in files if "migrations" in file.parts or file.name == "roles.sql"]
        static = [
            file for file in files if "static" in file.parts or "requirements" in file.parts or file.name == "static.py"
        ]
        compile_messages(self.root)
        # Compressing the static files takes as long as the tables and the demo data: both at once.
        collecting = self._begin("static files", static, "collectstatic", "--no-input", "--clear")
        certified = self._begin_certificates()
        try:
            self._step("tables", migrations, lambda: self._manage("migrate", "--no-input"), about=self.database)
            if (self.root / "loyalty/management/commands/seed_demo.py").exists():
                code = [file for file in files if file.suffix == ".py"]
                self._step("demo data", code, lambda: self._manage("seed_demo"), about=self.database)
            for finish in (collecting, certified):
                if finish is not None:
                    finish()
        finally:
            process.stop_all(self._started)

    def _begin_certificates(self) -> Callable[[], None] | None:
        """Start making the chain that signs passes in development, where there is none and the environment has none."""
        if any(name in self.env for name in APPLE_NAMES) or (self.var / "certs" / "signer.key").is_file():
            return None
        print("Preparing a certificate for passes ...", flush=True)
        child = self._spawn("make_dev_pass_certificates")
        return lambda: self._finish(child, "make_dev_pass_certificates")

    def _step(self, name: str, inputs: Iterable[Path], act: Callable[[], None], *, about: str = "") -> None:
        wanted = fingerprint(inputs, about)
        if self._remembered().get(name) != wanted:
            print(f"Preparing {name} ...", flush=True)
            act()
            self._remember(name, wanted)

    def _begin(self, name: str, inputs: Iterable[Path], *arguments: str) -> Callable[[], None] | None:
        """Start a step in the background; returns what waits for its end, or None when there is nothing to do."""
        wanted = fingerprint(inputs)
        if self._remembered().get(name) == wanted and (self.var / "static").is_dir():
            return None
        print(f"Preparing {name} ...", flush=True)
        child = self._spawn(*arguments)

        def finish() -> None:
            self._finish(child, arguments[0])
            self._remember(name, wanted)

        return finish

    def _remembered(self) -> dict[str, str]:
        try:
            return dict(json.loads(self.memory.read_text()))
        except (OSError, ValueError):
            return {}

    def _remember(self, name: str, wanted: str) -> None:
        write_private(self.memory, {**self._remembered(), name: wanted})

    def _manage(self, *arguments: str) -> None:
        self._finish(self._spawn(*arguments), arguments[0])

    def _spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.logs / f"{arguments[0]}.log"
        log.unlink(missing_ok=True)
        child = process.spawn([sys.executable, "manage.py", *arguments], log=log, env=self.env, cwd=self.root)
        self._started.append(child)
        return child

    def _finish(self, child: subprocess.Popen[bytes], command: str) -> None:
        if child.wait():
            log = self.logs / f"{command}.log"
            raise CannotStart(f"`manage.py {command}` failed. The end of {log}:\n{process.log_tail(log, 25)}")


def compile_messages(root: Path) -> None:
    """Compile every .po file of the project to the .mo file beside it, when it is newer."""
    for source in project_files(root):
        target = source.with_suffix(".mo")
        if source.suffix != ".po" or (target.exists() and target.stat().st_mtime > source.stat().st_mtime):
            continue
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(draft))
        draft.replace(target)


def project_files(root: Path) -> Iterable[Path]:
    """Yield the project's own files, without tests, runtime files and tools' folders."""
    for entry in sorted(root.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if entry.name not in SKIPPED_FOLDERS:
                yield from project_files(entry)
        elif entry.is_file():
            yield entry


def fingerprint(files: Iterable[Path], about: str = "") -> str:
    """Return a hash over the names and contents of files."""
    digest = hashlib.sha256(about.encode())
    for file in files:
        digest.update(str(file).encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    compile_messages(Path.cwd())
