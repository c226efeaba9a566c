"""What happens to passes: changes, pushes, fetches, registrations, callbacks."""
