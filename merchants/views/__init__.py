"""Pages of merchants: what follows a sign-up, and the colours of a merchant's pages."""
