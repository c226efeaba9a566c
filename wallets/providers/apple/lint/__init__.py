"""What a phone would refuse in a .pkpass, or show wrongly: one precise reason per fault.

A phone itself says nothing. It works without our credentials, on other people's passes, too.
"""

from wallets.providers.apple.lint.checks import faults

__all__ = ["faults"]
