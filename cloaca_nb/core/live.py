"""What marks objects that are means, not data: they have no value to be compared with another."""

__all__ = ["Live"]


class Live:
    """A runner, a history: what a task does with one isn't told by what it holds, which nobody looks through."""
