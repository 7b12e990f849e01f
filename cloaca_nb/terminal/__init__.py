"""What a terminal shows of a run: each task in a line while it goes on, a summary when it is over."""
