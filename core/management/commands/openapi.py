"""`openapi` writes the API's document to docs/openapi.json; `openapi --check` fails when it is out of date."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from core.api import schema


class Command(BaseCommand):
    """Keeps the committed document and the code together."""

    help = "Write docs/openapi.json, or check that it is up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="change nothing, fail when the file is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare."""
        wanted = text()
        if GENERATOR_STATS:
            raise CommandError("drf-spectacular had something to say (above): describe the views better.")
        file = path()
        if not options["check"]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted, encoding="utf-8")
            self.stdout.write(f"Wrote {file.relative_to(settings.BASE_DIR)}.")
        elif not file.is_file() or file.read_text(encoding="utf-8") != wanted:
            raise CommandError("docs/openapi.json is out of date: run `make schema`.")


def path() -> Path:
    """Return where the committed document stands."""
    return Path(settings.BASE_DIR) / "docs" / "openapi.json"


def text() -> str:
    """Return the document as it is committed."""
    validate_schema(schema.document())  # type: ignore[no-untyped-call]
    return json.dumps(schema.document(), indent=1, ensure_ascii=False, default=str) + "\n"
