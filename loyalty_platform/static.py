"""Static files: sheets joined of their parts, hashed names, compressed copies; in development as in production."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import get_ident
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig
from django.contrib.staticfiles.finders import FileSystemFinder
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

_HASHED = re.compile(r"\.[0-9a-f]{12}\.")
_PART = re.compile(r'^@import url\("([\w/-]+\.css)"\);$', re.MULTILINE)


class StaticFilesConfig(DjangoStaticFilesConfig):
    """Leaves out what packages bring and nobody asks for: source maps, ReDoc, more htmx, the REST framework's pages."""

    ignore_patterns = [
        *DjangoStaticFilesConfig.ignore_patterns,
        "*.map",
        "redoc",
        "rest_framework",
        "django_htmx",
    ]


class SheetFinder(FileSystemFinder):
    """Finds the files of static/; a sheet that imports its parts is one file with all of them, so one request."""

    def __init__(self, app_names: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(app_names, *args, **kwargs)
        self._made = FileSystemStorage(location=Path(settings.STATIC_ROOT).with_name("sheets"))

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """Return where the file is: a sheet with parts where it has been joined."""
        found = super().find(path, *args, **kwargs)
        return self._join(path, Path(found)) if isinstance(found, str) and _parts(Path(found)) else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Yield each file but the parts: the sheets hold them."""
        files = [(name, storage, Path(storage.path(name))) for name, storage in super().list(ignore_patterns)]
        inside = {part for _, _, file in files for part in _parts(file)}
        for name, storage, file in files:
            if _parts(file):
                self._join(name, file)
                yield name, self._made
            elif file not in inside:
                yield name, storage

    def _join(self, name: str, sheet: Path) -> str:
        text = _PART.sub(lambda match: (sheet.parent / match[1]).read_text(encoding="utf-8"), sheet.read_text("utf-8"))
        file = Path(self._made.path(name))
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}.{os.getpid()}-{get_ident()}")
            draft.write_text(text, encoding="utf-8")
            draft.replace(file)
        return str(file)


def _parts(file: Path) -> list[Path]:
    """Return the files that a sheet of ours is made of."""
    if file.suffix != ".css":
        return []
    return [file.parent / name for name in _PART.findall(file.read_text(encoding="utf-8"))]


class StaticStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage: switched on under DEBUG too, and quick enough to run at set-up."""

    # A script names the modules it imports by their hashed names, so that a browser never mixes two releases.
    support_js_module_import_aggregation = True

    # References to source maps stay as they are: the maps are not collected.
    patterns = tuple(
        (
            names,
            tuple(rule for rule in rules if "sourceMappingURL" not in (rule if isinstance(rule, str) else rule[0])),
        )
        for names, rules in CompressedManifestStaticFilesStorage.patterns
    )

    _addresses: ClassVar[dict[tuple[str, str], str]] = {}

    def url(self, name: str | None, force: bool = True) -> str:
        """Return the address with the content's hash, whatever DEBUG says; a page asks for some forty, many twice."""
        if not name or name not in self.hashed_files:
            return super().url(name, force)
        key = name, self.hashed_files[name]
        if key not in self._addresses:
            self._addresses[key] = super().url(name, force)
        return self._addresses[key]

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, Any]]:
        """Compress the files that pages refer to; the plain names exist only for those who type them."""
        yield from super().compress_files([path for path in paths if _HASHED.search(path)])
