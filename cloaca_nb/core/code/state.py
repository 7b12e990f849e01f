"""What is bound at a point of some code: surely, or perhaps."""

import ast
from collections.abc import Hashable
from typing import Final, NamedTuple, TypeAlias

__all__ = ["START", "Jump", "Point", "State", "Trail", "join"]


class State(NamedTuple):
    """What is bound at one point of the code."""

    sure: frozenset[Hashable]
    perhaps: frozenset[Hashable]  # what is surely bound included

    def bind(self, *variables: Hashable) -> "State":
        """Return the state in which these are bound."""
        return State(self.sure.union(variables), self.perhaps.union(variables))

    def unbind(self, *variables: Hashable) -> "State":
        """Return the state in which these are not bound."""
        return State(self.sure.difference(variables), self.perhaps.difference(variables))


Point: TypeAlias = State | None  # None: never reached
START: Final = State(frozenset(), frozenset())


def join(*points: Point) -> Point:
    """Return what holds where several ways meet."""
    states = [point for point in points if point is not None]
    if not states:
        return None
    first, *others = states
    return State(
        first.sure.intersection(*(state.sure for state in others)),
        first.perhaps.union(*(state.perhaps for state in others)),
    )


class Trail:
    """Every state that a block passes through, joined: an error may leave it in any of them."""

    def __init__(self, start: Point) -> None:
        self.state = start

    def pass_through(self, state: Point) -> None:
        """Take in one more state."""
        self.state = join(self.state, state)


class Jump(NamedTuple):
    """A `break`, `continue` or `return` under way to where it leads."""

    kind: type[ast.stmt]
    state: Point
