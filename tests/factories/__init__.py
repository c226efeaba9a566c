"""Rows for tests that need rows and not the story behind them; tests/support/world.py tells the story."""
