"""Where pictures of our own making are kept: random names, written before the row, the old ones deleted after it.

A failure at any point leaves the old picture in place; what it may leave behind is a file that nobody knows of.
"""

import logging

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from core import images

logger = logging.getLogger(__name__)


def keep(folder: str, files: images.Files) -> str:
    """Write a picture's files and return the name of the first, the larger one."""
    base = f"{folder}/{images.new_name()}"
    names = [default_storage.save(f"{base}{end}", ContentFile(data)) for end, data in files.items()]
    return names[0]


def drop(name: str | None) -> None:
    """Delete a picture's files; one that is gone already is no fault."""
    for path in (name, images.small(name)) if name else ():
        try:
            default_storage.delete(path)
        except OSError:
            logger.warning("picture not deleted: %s", path)


def drop_after_commit(name: str | None) -> None:
    """Delete a picture's files once the transaction that no longer names it is committed."""
    if name:
        transaction.on_commit(lambda: drop(name))


def url(name: str | None) -> str:
    """Return the address of a picture, "" for none."""
    return default_storage.url(name) if name else ""


def small_url(name: str | None) -> str:
    """Return the address of the small one beside a picture, "" for none."""
    return default_storage.url(images.small(name)) if name else ""
