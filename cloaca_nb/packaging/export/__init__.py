"""A notebook's tasks as a package, text in memory; and the way back."""
