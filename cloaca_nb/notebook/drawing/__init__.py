"""How a workflow and its run look once nothing moves: a picture, a table, and the look of each state."""
