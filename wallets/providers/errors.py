"""What may go wrong at a provider before it is asked."""


class NotConfigured(Exception):
    """The provider's credentials are missing; the card lives as a web card."""


class BrokenCredential(Exception):
    """The credentials are there and cannot be used; the text names the exact fault."""


class CannotRender(Exception):
    """A card's content cannot be made into a pass: trying again will not help."""
