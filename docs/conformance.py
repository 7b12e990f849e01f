"""Writes conformance.md beside it: every public name with its parameters, defaults and errors, as the code has them."""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import cloaca_nb

PAGE: Final = Path(__file__).with_name("conformance.md")
HEAD: Final = """\
# The public names

Everything that `from cloaca_nb import *` gives, with its parameters, defaults and errors. The text is taken from the
code by `python docs/conformance.py`, and a test says when the two differ.

"""
COLUMNS: Final = ("Name", "Parameters and defaults", "What it is", "Errors")
ERROR_COLUMNS: Final = ("Name", "Is also", "When", "")
SECTION: Final = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$", re.MULTILINE)


class Row(NamedTuple):
    """A line of the table, each cell as plain text."""

    name: str
    parameters: str
    what: str
    errors: str


class _Named:
    """A default value that is shown by a name, because its own text would tell where in memory it lies."""

    def __repr__(self) -> str:
        return "…"


def page() -> str:
    """Return the text of the page."""
    public = {name: getattr(cloaca_nb, name) for name in cloaca_nb.__all__}
    classes = {name: one for name, one in public.items() if inspect.isclass(one)}
    errors = {name: one for name, one in classes.items() if issubclass(one, Exception)}
    functions = [row_of(name, one) for name, one in public.items() if name not in classes]
    parts = [HEAD, "## Functions\n\n", _table(functions)]
    for name, one in classes.items():
        if name not in errors:
            parts += [f"\n## {name}\n\n", _table(list(rows_of_class(name, one)))]
    parts += ["\n## Errors\n\n", _table([row_of_error(name, one) for name, one in errors.items()], ERROR_COLUMNS)]
    return "".join(parts)


def row_of(name: str, function: Callable[..., Any]) -> Row:
    """Return the line of a function or method."""
    return Row(name, parameters_of(function), _what(function), _errors(function))


def row_of_error(name: str, error: type) -> Row:
    """Return the line of an exception: what it is raised for, and what else it is."""
    also = [base.__name__ for base in error.__bases__ if base is not Exception]
    return Row(name, ", ".join(also), _what(error), "")


def rows_of_class(name: str, kind: type) -> Iterator[Row]:
    """Yield the line of a class, those of its attributes, and those of its public methods."""
    yield row_of(name, kind)
    members = {key: value for base in reversed(kind.__mro__) for key, value in _members(base)}
    for key, text in _entries(kind, "Attributes").items():
        yield Row(f".{key}", "", text, "")
    for key, value in members.items():
        if isinstance(value, property | cached_property):
            yield Row(f".{key}", "", _what(value), _errors(value))
        elif getattr(value, "__module__", "") == "collections.abc":
            yield Row(f".{key}", parameters_of(value), "As that of a dict.", "")
        elif callable(getattr(kind, key)):
            yield row_of(f".{key}", getattr(kind, key))


def _members(base: type) -> Iterator[tuple[str, Any]]:
    if base.__module__.startswith(("cloaca_nb", "collections.abc")):
        for key, value in vars(base).items():
            if not key.startswith("_") and not inspect.ismemberdescriptor(value):
                yield key, value


def parameters_of(function: Callable[..., Any]) -> str:
    """Return the parameters with their defaults, e.g. ``(key, default=None)``; without types and `self`."""
    signature = inspect.signature(function)
    bare = [one.replace(annotation=one.empty, default=_shown(one.default)) for one in signature.parameters.values()]
    bare = bare[1:] if bare and bare[0].name == "self" else bare
    return str(inspect.Signature(bare))


def _shown(default: Any) -> Any:
    return _Named() if " at 0x" in repr(default) else default


def _sections(one: Any) -> dict[str, str]:
    start, *named = SECTION.split(inspect.getdoc(one) or "")
    return {"": start, **dict(zip(named[::2], named[1::2], strict=True))}


def _what(one: Any) -> str:
    return " ".join(_sections(one)[""].partition("\n\n")[0].split())


def _errors(one: Any) -> str:
    return "; ".join(f"{name}: {text}" for name, text in _entries(one, "Raises").items())


def _entries(one: Any, section: str) -> dict[str, str]:
    """Return the entries of a section of a docstring: name and text, which may take several lines."""
    entries: dict[str, str] = {}
    name = ""
    for line in _sections(one).get(section, "").splitlines():
        if (begin := re.match(r" {4}(\w+): (.*)", line)) is not None:
            name = begin[1]
            entries[name] = begin[2]
        elif line.startswith(" " * 8) and name:
            entries[name] += f" {line.strip()}"
        elif line.strip():
            break
    return {name: text.rstrip(".") for name, text in entries.items()}


def _table(rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> str:
    lines = [columns, ("---",) * len(columns), *((_code(row.name), _code(row.parameters), *row[2:]) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
