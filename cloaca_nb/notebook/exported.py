"""What `%cloaca_export` answers: the files, what else was made, and what the author may want to know."""

from collections.abc import Iterable, Iterator
from typing import Final

from cloaca_nb.declare.place import file_label
from cloaca_nb.packaging.deliver import Delivered

__all__ = ["exported"]

MOST: Final = 12  # lines of a list that are read


def exported(made: Delivered, differences: Iterable[str], said: Iterable[str]) -> str:
    """Return the answer.

    Args:
        made: by the export.
        differences: how the executed cells differ from the saved file.
        said: what else there is to say.
    """
    return "\n".join(_lines(made, list(differences), said))


def _lines(made: Delivered, differences: list[str], said: Iterable[str]) -> Iterator[str]:
    yield f"{file_label(str(made.folder))}:"
    yield from (f"  {path}" for path in sorted([*made.package.files, *made.package.data]))
    if made.packed is not None:
        found = made.packed.inspection
        yield f"  {made.packed.path.name} ({len(found.files)} files, {found.packed:,} bytes, {found.fingerprint})"
        yield from found.warnings
    yield made.next_step
    yield from said
    for title, lines in made.package.behind.items():
        yield from _listed(title, lines)
    yield from _listed("The executed cells differ from the saved notebook:", differences)


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield title
        yield from (f"  {line}" for line in found[:MOST])
    if len(found) > MOST:
        yield f"  … and {len(found) - MOST} more"
