"""The rules of the game as pure functions: no database, no clock, nothing but their arguments."""
