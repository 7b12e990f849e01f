"""What a notebook says, read from its text: its tasks, and everything else that they need."""
