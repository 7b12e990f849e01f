"""Workflows from a path; those of archives come from a process of their own."""
