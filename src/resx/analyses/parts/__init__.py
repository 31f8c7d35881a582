"""What analyses are built from."""
