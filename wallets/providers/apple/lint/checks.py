"""The order of the checks: the zip, its manifest, the signature, the content. What cannot be read is not judged."""

from collections.abc import Iterator

from wallets.providers.apple.lint import archive, content, names, pictures, seal, words
from wallets.providers.apple.lint.reading import Unreadable

MANIFEST, SIGNATURE, PASS = "manifest.json", "signature", "pass.json"


def faults(data: bytes) -> list[str]:
    """Return every fault of a package, each as one sentence; [] when a phone would take it."""
    try:
        files, found = archive.read(data)
    except Unreadable as error:
        return [str(error)]
    return [*found, *_package(files)]


def _package(files: dict[str, bytes]) -> Iterator[str]:
    folder = names.enclosing(files)
    if folder:
        yield f"The files are in a folder ({folder}/); they must be at the root of the zip."
        return
    yield from names.faults(files)
    yield from archive.manifest_faults(files)
    listed, signed, body = (files.get(name) for name in (MANIFEST, SIGNATURE, PASS))
    certificate = None
    if listed is not None and signed is not None:
        certificate, found = seal.judge(listed, signed)
        yield from found
    if body is not None:
        yield from content.faults(body, certificate)
    plain = {name: data for name, data in files.items() if not names.oddity(name)}
    yield from pictures.faults(plain, content.style_of(body))
    yield from words.faults(plain)
