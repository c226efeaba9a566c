"""pass.strings in every language we speak: what a phone shows instead of a pass's labels, in its own language.

The keys are the English texts, so that a phone in yet another language shows English instead of a code.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from wallets.rules import words
from wallets.rules.description import LANGUAGES

KEY_LANGUAGE = "en"
# Sentences that stand on the back of Apple's pass only.
EXPLANATIONS = {
    "how": _("How it works"),
    "how_stamps": _("Show this card at the till each time you come. Your stamps collect here by themselves."),
    "how_points": _("Show this card at the till each time you pay. Your points collect here by themselves."),
    "how_hybrid": _("Show this card at the till each time you pay. Your stamps and points collect here by themselves."),
}
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


@lru_cache(maxsize=16)
def texts(language: str) -> Mapping[str, str]:
    """Return every text of a language by its name in the code."""
    with translation.override(language):
        explained = {name: str(text) for name, text in EXPLANATIONS.items()}
    return MappingProxyType({**words.texts(language), **explained})


def key(name: str) -> str:
    """Return what stands in pass.json for a text, and is its key in each pass.strings."""
    return texts(KEY_LANGUAGE)[name]


@lru_cache(maxsize=1)
def files() -> Mapping[str, bytes]:
    """Return the files of all languages by their path in the package: UTF-8 without byte order mark."""
    return MappingProxyType({f"{language}.lproj/pass.strings": _file(language) for language in LANGUAGES})


@lru_cache(maxsize=1)
def digest() -> str:
    """Return a hash over all languages' files."""
    return hashlib.sha256(b"\0".join(files()[path] for path in sorted(files()))).hexdigest()


def _file(language: str) -> bytes:
    lines = [f'"{_quoted(key(name))}" = "{_quoted(text)}";' for name, text in texts(language).items()]
    return ("\n".join(dict.fromkeys(lines)) + "\n").encode()


def _quoted(text: str) -> str:
    return text.translate(ESCAPES)
