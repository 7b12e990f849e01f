"""The parts of the grammar of a cell: its options, its body, and the function that it is equal to."""
