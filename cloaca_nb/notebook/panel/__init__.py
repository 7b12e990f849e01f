"""The live panel: what the kernel tells the page of a run, and what the page asks for."""
