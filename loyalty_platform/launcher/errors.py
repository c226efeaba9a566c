"""The one error that the launcher shows as a plain sentence instead of a traceback."""


class CannotStart(Exception):
    """Something is missing or taken; the text says what, and what to do."""
