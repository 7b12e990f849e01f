"""What an archive holds: read without trust, and the same bytes each time."""
