"""Providers of wallets as real servers, for tests and for development."""
