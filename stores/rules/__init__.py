"""Pure rules of stores: no database, no clock."""
