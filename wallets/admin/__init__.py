"""Wallets in the platform's admin: what was sent, what waits and why, and what phones and Google report."""

from wallets.admin import cards, deliveries, messages, panel, passes

__all__ = ["cards", "deliveries", "messages", "panel", "passes"]
