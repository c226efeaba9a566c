"""Pure rules of merchants: no database, no clock."""
