"""Drives a plan: workers, retries, timeouts, cancelling, captured output. The sole owner of time."""
