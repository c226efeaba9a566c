"""pass.strings: readable by every reader, the same keys in each language, placeholders kept."""

import codecs
import re
from collections.abc import Iterator

PATH = re.compile(r"([^/]+)\.lproj/pass\.strings")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*|Base")
PAIR = re.compile(r'\s*(?:/\*.*?\*/\s*|//[^\n]*\n\s*)*"((?:[^"\\]|\\.)*)"\s*=\s*"((?:[^"\\]|\\.)*)"\s*;', re.DOTALL)
REST = re.compile(r"\s*(?:/\*.*?\*/\s*|//[^\n]*(?:\n\s*|$))*", re.DOTALL)


def faults(files: dict[str, bytes]) -> Iterator[str]:
    """Yield the faults of each language, then how they differ."""
    texts: dict[str, dict[str, str]] = {}
    for name in sorted(files):
        if not name.endswith(".strings"):
            continue
        found = PATH.fullmatch(name)
        if not found or not LANGUAGE.fullmatch(found[1]):
            yield f"{name} is at no place that is read; it must be <language>.lproj/pass.strings."
            continue
        pairs = _pairs(files[name])
        if isinstance(pairs, str):
            yield f"{name} {pairs}"
            continue
        texts[name] = pairs
        yield from (f"{name} loses the placeholder of {key!r}." for key, text in pairs.items() if _lost(key, text))
    everything = {key for pairs in texts.values() for key in pairs}
    for name, pairs in texts.items():
        for key in sorted(everything - pairs.keys()):
            yield f"{name} lacks {key!r}, which another language has."


def _lost(key: str, text: str) -> bool:
    return "%@" in key and "%@" not in text


def _pairs(data: bytes) -> dict[str, str] | str:
    """Return the texts by their keys, or what is wrong."""
    if data.startswith(codecs.BOM_UTF8):
        return "begins with a UTF-8 byte order mark; write UTF-8 without one, or UTF-16 with one."
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return f"is not {encoding.upper()}."
    found: dict[str, str] = {}
    at = 0
    while pair := PAIR.match(text, at):
        if pair[1] in found:
            return f"has the key {pair[1]!r} twice."
        found[pair[1]] = pair[2]
        at = pair.end()
    rest = REST.match(text, at)
    if rest is None or rest.end() != len(text):
        line = text.count("\n", 0, rest.end() if rest else at) + 1
        return f'is not readable at line {line}: each must be "key" = "value";'
    return found
