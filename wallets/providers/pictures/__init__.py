"""The pictures of a pass, drawn by us: for Apple inside the package, for Google at public addresses.

The strip of a program with stamps shows the tray of stamps over its whole width, so a pass has no primary field there;
the strip of a points program leaves the left two thirds to the primary field.
"""

from wallets.providers.pictures.apple import Images, for_apple
from wallets.providers.pictures.public import hero_url, logo_url

__all__ = ["Images", "for_apple", "hero_url", "logo_url"]
