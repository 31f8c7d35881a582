"""What families are built from."""
