"""Posters: a sheet for the counter as PDF, drawn from a store's program and the merchant's branding."""

from dashboard.services.posters.sheets import LANGUAGES, SIZES, Facts, draw, words

__all__ = ["LANGUAGES", "SIZES", "Facts", "draw", "words"]
