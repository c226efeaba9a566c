"""Pages of stores: pairing a device."""
