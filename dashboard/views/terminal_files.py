"""Which files make up the till, and the name of their release: what the service worker keeps."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from django.conf import settings
from django.templatetags.static import static

STATIC = settings.BASE_DIR / "static"
WORKER = STATIC / "dashboard" / "terminal-worker.js"
SCRIPTS = "dashboard/terminal"
FILES = (
    "vendor/bootstrap/bootstrap.min.css", "core/tokens.css", "core/base.css", "dashboard/terminal.css",
    "dashboard/terminal/page.css", "core/app.js", "core/icons.svg", "core/favicon.svg",
    "vendor/htmx/htmx.min.js", "vendor/figtree/figtree-latin-wght-normal.woff2",
    "vendor/figtree/figtree-latin-ext-wght-normal.woff2",
)  # fmt: skip
SOUNDS = {name: f"dashboard/sounds/{name}.wav" for name in ("given", "reward", "refused")}
WASM = "vendor/zxing-wasm/zxing_reader.wasm"
READER = ("vendor/barcode-detector/ponyfill.js", "vendor/barcode-detector/zxing-exported.js", WASM)


@dataclass(frozen=True, slots=True)
class Release:
    """The files of the till as they are now; `name` changes with any of them."""

    name: str
    files: list[str]
    reader: list[str]


@lru_cache(maxsize=1)
def release() -> Release:
    """Return the running release; its files are read once per process."""
    scripts = sorted(f"{SCRIPTS}/{path.name}" for path in (STATIC / SCRIPTS).glob("*.js"))
    names = [*FILES, *scripts, *SOUNDS.values()]
    content = sha256(WORKER.read_bytes())
    for name in [*names, *READER]:
        content.update(static(name).encode() + (STATIC / name).read_bytes())
    return Release(content.hexdigest()[:16], [static(name) for name in names], [static(name) for name in READER])
