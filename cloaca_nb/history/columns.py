"""What a table of a history is: its columns, their types here and in a journal, and what stands in them."""

from dataclasses import dataclass

__all__ = ["Column", "Table", "table"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its SQL type, and what stands in it."""

    name: str
    type: str
    meaning: str

    @property
    def journal_type(self) -> str:
        """The type in a journal, which writes times as seconds since the Unix epoch."""
        return "DOUBLE" if self.type == "TIMESTAMP" else self.type

    @property
    def from_journal(self) -> str:
        """The SQL expression that turns the journal's value into the column's."""
        quoted = f'"{self.name}"'
        return f"make_timestamp(round({quoted} * 1e6)::BIGINT)" if self.type == "TIMESTAMP" else quoted


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in order, and what a row of it is."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in the order in which rows hold their values."""
        return tuple(column.name for column in self.columns)


def table(name: str, meaning: str, columns: str) -> Table:
    """Make a table of lines ``name TYPE meaning``."""
    rows = (line.split(maxsplit=2) for line in columns.strip().splitlines())
    return Table(name, meaning, tuple(Column(*row) for row in rows))
