"""A merchant's logo: written anew from what was uploaded, replaced and removed without leaving files behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO
from uuid import UUID

from core import audit, images, outbox, pictures, tenancy
from core.errors import NotFound
from merchants.models import Merchant
from merchants.services.merchants import CHANGED

FOLDER = "logos"


def replace(*, merchant_id: UUID, upload: IO[bytes], actor_id: UUID | None, at: datetime) -> Merchant:
    """Take a picture as the logo: a square of 660 pixels or more. The old one stays when anything goes wrong.

    Raises ValidationFailed (`image`): empty, too_large, too_many_pixels, too_small, animated, not_an_image.
    """
    with made(upload) as name:
        return put(merchant_id=merchant_id, name=name, actor_id=actor_id)


@contextmanager
def made(upload: IO[bytes]) -> Iterator[str]:
    """Write a picture anew and yield its name for `put`; when what follows goes wrong, its files go again.

    It takes a second of computing: begin it before a transaction, not inside one. Raises what replace raises.
    """
    name = pictures.keep(FOLDER, images.logo(upload))
    try:
        yield name
    except BaseException:
        pictures.drop(name)
        raise


def put(*, merchant_id: UUID, name: str, actor_id: UUID | None) -> Merchant:
    """Take a picture of `made` as the logo; its block has to enclose the whole transaction."""
    return _change(merchant_id, name, actor_id)


def remove(*, merchant_id: UUID, actor_id: UUID | None, at: datetime) -> Merchant:
    """Go back to the icon of the trade; doing it twice changes nothing."""
    return _change(merchant_id, "", actor_id)


def _change(merchant_id: UUID, name: str, actor_id: UUID | None) -> Merchant:
    with tenancy.scope(merchant_id):
        merchant = Merchant.objects.select_for_update().filter(pk=merchant_id).first()
        if merchant is None:
            raise NotFound
        old = merchant.logo.name or ""
        if old == name:
            return merchant
        merchant.logo = name
        merchant.branding_version += 1
        merchant.save(update_fields=["logo", "branding_version"])
        action = "merchant_logo_set" if name else "merchant_logo_removed"
        audit.note(
            action=action, target=f"merchant {merchant.slug}", actor_id=actor_id, merchant_id=merchant_id
        )  # fmt: skip
        outbox.publish(CHANGED, merchant_id=merchant_id)
        pictures.drop_after_commit(old)
    return merchant
