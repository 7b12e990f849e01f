"""A notebook as the exporter sees it: its name and the text of its code cells, in document order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cloaca_nb.errors import ExportError

__all__ = ["Cell", "Notebook", "notebook_from_texts", "notebook_text", "read_notebook"]

UUID: Final = re.compile(r"(?<=^[0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")  # what follows its first eight digits
_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # as the format has it


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell.

    Attributes:
        number: its place among the code cells, from 1.
        id: what the notebook file knows it by; empty where that is not known.
        text: what stands in it, IPython syntax included.
        above: the text of the markdown cell directly above it; empty where there is none.
    """

    number: int
    id: str
    text: str
    above: str = ""

    def at(self, line: int) -> str:
        """Return how an error message names a line of this cell: ``cell 3 (id a1b2), line 2``.

        The ids that JupyterLab makes are as long as a line; their beginning finds the cell.
        """
        known_by = f" (id {UUID.sub('', self.id)})" if self.id else ""
        return f"cell {self.number}{known_by}, line {line}"


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook's code.

    Attributes:
        name: of its file, without folder and suffix: ``01_flight_delays``.
        cells: the code cells in document order.
        folder: where it lies, which is where its local modules are looked for; None where that is not known.
        modified: when its cells last ran, as RFC 3339, by the record that front ends keep in it; None without one.
    """

    name: str
    cells: tuple[Cell, ...]
    folder: Path | None = None
    modified: str | None = field(default=None, compare=False)

    @property
    def workflow_name(self) -> str:
        """What its own workflow is called unless it says so: the file's name without leading digits."""
        return re.sub(r"^[\d\W_]+", "", self.name) or self.name or "notebook"


def notebook_from_texts(name: str, texts: list[str], folder: Path | None = None) -> Notebook:
    """Return a notebook of cells that have no ids."""
    return Notebook(name, tuple(Cell(number, "", text) for number, text in enumerate(texts, 1)), folder)


def read_notebook(path: str | Path) -> Notebook:
    """Read a notebook file; nothing of it is run.

    Args:
        path: an ``.ipynb`` file of any format version.

    Raises:
        FileNotFoundError: if there is no such file.
        ExportError: if it is no notebook, or one in another language than Python.
    """
    import nbformat  # noqa: PLC0415 - importing cloaca_nb loads the standard library only

    file = Path(path)
    # Without nbformat's own repairs: it would make up random ids for cells that have none, or share one.
    try:
        content = nbformat.reader.reads(file.read_text("utf-8"))
        version = (content.nbformat, content.get("nbformat_minor", 0))
        if content.nbformat < 4:  # noqa: PLR2004 - the first format with a plain list of cells
            content = nbformat.convert(content, 4)
        found = [(_prose(above), cell) for above, cell in pairwise([None, *content.cells]) if cell.cell_type == "code"]
        texts = [_text(cell.source) for _, cell in found]
    except nbformat.reader.NotJSONError as error:
        raise ExportError(f"{file} is no notebook: it holds no JSON. Name an .ipynb file.") from error
    except (AttributeError, UnicodeDecodeError, nbformat.ValidationError) as error:
        raise ExportError(f"{file} is a damaged notebook: {error}. Open it in Jupyter and save it again.") from error
    if "python" not in (language := _language(content.metadata)).lower():
        raise ExportError(f"{file} is a notebook in {language}, and tasks are written in Python.")
    ids = _ids([cell for _, cell in found]) if version >= (4, 5) else [""] * len(found)
    parts = zip(ids, texts, (above for above, _ in found), strict=True)
    cells = (Cell(number, *part) for number, part in enumerate(parts, 1))
    return Notebook(file.stem, tuple(cells), file.resolve().parent, _modified(cell for _, cell in found))


def _language(metadata: Any) -> str:
    """Return the language that a notebook's metadata name; Python where they name none."""
    match metadata:
        case {"language_info": {"name": str(name)}} | {"kernelspec": {"language": str(name)}} if name:
            return name
        case _:
            return "python"


def _ids(cells: Sequence[Any]) -> list[str]:
    """Return the cells' ids; empty ones where they aren't as the format has them."""
    found = [cell.get("id", "") for cell in cells]
    valid = all(isinstance(one, str) and _ID.fullmatch(one) for one in found) and len(set(found)) == len(found)
    return found if valid else [""] * len(found)


def _text(source: Any) -> str:
    """Return the text of a cell, which files may hold as a list of lines."""
    return source if isinstance(source, str) else "".join(source)


def _prose(cell: Any) -> str:
    return _text(cell.source) if cell is not None and cell.cell_type == "markdown" else ""


def notebook_text(cells: Iterable[Cell]) -> str:
    """Return the content of a notebook file with these code cells; those without an id get their number for one."""
    import nbformat  # noqa: PLC0415 - see above

    found = [nbformat.v4.new_code_cell(one.text, id=one.id or str(one.number)) for one in cells]
    language = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    content = nbformat.v4.new_notebook(cells=found, metadata=language)
    nbformat.validate(content)
    text: str = nbformat.writes(content)
    return text + "\n"


def _modified(cells: Iterable[Any]) -> str | None:
    """Return the latest time on record in cells: JupyterLab's ``execution`` metadata, by ISO 8601 with a time zone.

    A cell that exports doesn't count: to export a notebook doesn't change it.
    """
    counted = (cell for cell in cells if "%cloaca_export" not in cell.source)
    times = (text for cell in counted for text in _texts(cell.get("metadata", {}).get("execution")))
    found = [at for text in times if (at := _time(text)) is not None]
    return max(found).isoformat() if found else None


def _texts(record: Any) -> Iterable[Any]:
    return record.values() if isinstance(record, dict) else ()


def _time(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):  # a notebook's metadata may hold anything
        return None
    return at if at.tzinfo else None
