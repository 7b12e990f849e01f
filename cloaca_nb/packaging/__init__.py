"""The way out of the notebook: packages made of its tasks, and packages and notebooks loaded as workflows."""
