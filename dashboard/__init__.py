"""Dashboard: the pages of a merchant's back office and the staff terminal.

Owns: the HTML of the merchant's side, QR posters, reports with their rollups, and live screens.
Writes nothing of the trade by itself: each form calls one service of the app that owns the rows.
Publishes: nothing.
Hears: nothing; its rollups follow the ledger every 20 seconds by when its rows were recorded.
Customer pages are not here: they live beside the cards, in loyalty.
Imports every app below it; nothing imports it but the platform.
"""
