"""Where the function of a task cell sets a name: at its exits, after each assignment, or at exits that ask.

A name that goes to the context is set right before each exit where it surely has a value; if at some exit it only
perhaps has one, it is set after each statement that assigns it; and if an assignment is part of a larger statement,
each exit asks whether the name has a value.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cloaca_nb.core.cell.body import Body
from cloaca_nb.core.code.name_flow import Write
from cloaca_nb.core.code.state import Point
from cloaca_nb.errors import CellError

__all__ = ["Placing", "Traffic", "quoted", "set_inline", "set_line"]


class Traffic(NamedTuple):
    """What goes between a task and its context.

    Attributes:
        inputs: names that come from the context; `optional` likewise, if they are there.
        sets: names that go to the context.
        explicit: whether the user listed `sets`.
        deletes: names whose keys are deleted where the name is.
    """

    inputs: tuple[str, ...]
    optional: tuple[str, ...]
    sets: tuple[str, ...]
    deletes: tuple[str, ...]
    explicit: bool


@dataclass
class Placing:
    """Where the names of one body are set."""

    body: Body
    traffic: Traffic
    in_place: frozenset[str] = field(init=False)
    asked: frozenset[str] = field(init=False)  # at each exit, by `if "name" in locals()`

    def __post_init__(self) -> None:
        unclear = {name for name in self.traffic.sets if self._is_unclear(name)}
        writes = self.body.flow.writes
        self.in_place = frozenset(name for name in unclear if all(writes[name].values()))
        self.asked = frozenset(unclear - self.in_place)
        self._refuse_late()

    def _refuse_late(self) -> None:
        """Refuse a name that no line could set: it comes after the exit, and in the middle of a statement."""
        flow = self.body.flow
        for name in sorted(self.asked & flow.late):
            line = self.body.cell_line(max(statement.lineno for statement in flow.writes[name]))
            raise CellError(
                f"Cell line {line}: `{name}` gets its value in `finally` behind a `return`, in the middle of a "
                "statement. Assign it in a statement of its own."
            )

    def _is_unclear(self, name: str) -> bool:
        """Say whether a name may or may not have been assigned at some exit."""
        flow = self.body.flow
        if self._is_given(name):
            return False
        points = [point for point in (*flow.exits.values(), flow.end) if point is not None]
        return name in flow.late or any(
            Write(name) in point.perhaps and Write(name) not in point.sure for point in points
        )

    def _is_given(self, name: str) -> bool:
        """Say whether a name that came from the context is to go back whatever happens to it."""
        came = name in self.traffic.inputs or name in self.traffic.optional
        written = name in self.body.flow.writes
        return came and name not in self.body.flow.deletions and (self.traffic.explicit or not written)

    def at(self, point: Point) -> Iterator[tuple[str, bool]]:
        """Yield the names that are set at an exit, and for each whether it must be asked if it has a value."""
        for name in self.traffic.sets if point is not None else ():
            if self._is_given(name):
                yield name, False
            elif name not in self.in_place and point is not None and Write(name) in point.perhaps:
                yield name, Write(name) not in point.sure


def set_line(name: str, *, asked: bool) -> str:
    """Return the line that sets a name; `asked`: if it has a value."""
    line = f"context[{quoted(name)}] = {name}"
    return f"if {quoted(name)} in locals(): {line}" if asked else line


def set_inline(name: str, *, asked: bool) -> str:
    """Return the same as an expression or simple statement: it stands in a line with others."""
    if asked:
        return f"{quoted(name)} in locals() and context.set({quoted(name)}, {name})"
    return set_line(name, asked=False)


def quoted(text: str) -> str:
    """Return a text in double quotes."""
    return json.dumps(text, ensure_ascii=False)
