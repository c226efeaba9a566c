"""Static files: hashed names and compressed copies, in development too, so that it is served as in production."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage

_HASHED = re.compile(r"\.[0-9a-f]{12}\.")


class StaticFilesConfig(DjangoStaticFilesConfig):
    """Leaves out what packages bring and nobody asks for: source maps, ReDoc, more htmx, the REST framework's pages."""

    ignore_patterns = [
        *DjangoStaticFilesConfig.ignore_patterns,
        "*.map",
        "redoc",
        "rest_framework",
        "django_htmx",
    ]


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
