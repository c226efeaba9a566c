"""What a pass shows, without database or network."""
