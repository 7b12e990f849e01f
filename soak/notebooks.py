"""Real notebooks, by others: each gets our magics on its code cells, and is exported, made a notebook again, imported.

Where what a package imports is installed here, its notebook is executed as well, in a process without network, and so
is the package: a live export has to give the same files, and both the same tasks and the same final context.

`python soak/notebooks.py [FILE]` fetches source distributions into a temporary folder and keeps nothing of them; what
became of each notebook is written to FILE as a table. It ends with 1 if something else happened than a package that
holds, or a refusal that names the place, or if fewer than ten notebooks came to either.
"""

import ast
import importlib.util
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from live import ANYTHING, PACKAGE
from lived import lived

from cloaca_nb.core.cells import is_task_cell
from cloaca_nb.errors import CloacaError
from cloaca_nb.packaging.analysis.magics import cell_magic
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook, read_notebook
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.imported import import_package
from cloaca_nb.packaging.export.write import write_package

HEAD: Final = "| source | notebook | tasks | what became of it | executed live |\n|---|---|--:|---|---|\n"
SOURCES: Final = [
    "nbclient",
    "nbconvert",
    "ipywidgets",
    "jupytext",
    "nbdev",
    "nbformat",
    "voila",
    "networkx",
    "ipython",
    "papermill",
    "mercury",
    "nbval",
    "bqplot",
    "ipyleaflet",
    "pythreejs",
    "testbook",
    "nbdime",
    "lmfit",
    "bokeh",
]
MOST: Final = 12  # notebooks of one distribution
FEWEST: Final = 10  # notebooks that have to be exported or refused: else nothing was looked at
LONGEST: Final = 240  # characters of a message
PATIENCE: Final = 120.0  # seconds for one download or import
IMPORTED: Final = "exported and imported"
DEFINITIONS: Final = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Happened(NamedTuple):
    """What became of a notebook."""

    source: str
    notebook: str
    tasks: int
    what: str
    is_good: bool = True
    live: str = ""

    @property
    def cells(self) -> list[str]:
        """What stands in a table's row."""
        texts = (self.source, self.notebook, str(self.tasks), self.what, self.live)
        return [one.replace("|", "/") for one in texts]


def main(file: str | None = None) -> int:
    """Look at all sources; return the exit code."""
    found: list[Happened] = []
    for source in SOURCES:
        for one in happenings(source):
            live = f"; live: {one.live}" if one.live else ""
            sys.stdout.write(f"{one.source:14} {one.notebook:44} {one.tasks:3} tasks  {one.what}{live}\n")
            sys.stdout.flush()
            found.append(one)
    kinds = Counter(one.what.partition(":")[0] for one in found)
    sys.stdout.write(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) + "\n")
    if file:
        write_table(Path(file), found)
    kinds_of_live = Counter(one.live.partition(":")[0] for one in found if one.live)
    sys.stdout.write(f"live: {', '.join(f'{count} {kind}' for kind, count in kinds_of_live.most_common())}\n")
    looked_at = sum(one.what.startswith(("exported", "refused")) for one in found)
    if looked_at < FEWEST:
        sys.stdout.write(f"only {looked_at} notebooks were exported or refused, and {FEWEST} are asked for\n")
    return 0 if looked_at >= FEWEST and all(one.is_good for one in found) else 1


def write_table(path: Path, found: Iterable[Happened]) -> None:
    """Write what became of the notebooks below what the file says of its table."""
    above = path.read_text("utf-8").partition(HEAD)[0] if path.exists() else ""
    rows = [f"| {' | '.join(one.cells)} |\n" for one in found if one.notebook]
    path.write_text("".join([above, HEAD, *rows]), "utf-8")


def happenings(source: str) -> Iterator[Happened]:
    """Yield what becomes of each notebook of a source distribution."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-binary", ":all:", "--no-deps"]
        command += ["--no-build-isolation", "--dest", str(folder), source]
        try:
            # pip asks the sources for their metadata after it has them: what that comes to is nothing to us.
            subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)  # noqa: S603 - our own words
        except subprocess.TimeoutExpired:
            yield Happened(source, "", 0, "not looked at: its download takes too long")
            return
        paths = [path for archive in folder.iterdir() for path in unpacked(archive, folder)]
        if not paths:
            yield Happened(source, "", 0, "not looked at: no notebook in it, or no source distribution")
        for path in paths[:MOST]:
            yield happening(source, path, folder)


def unpacked(archive: Path, folder: Path) -> list[Path]:
    """Write the notebooks of a source distribution, and nothing else of it."""
    if archive.name.endswith((".tar.gz", ".tar.bz2")):
        with tarfile.open(archive) as tar:
            members = [(one.name, tar.extractfile(one)) for one in tar if one.isfile() and one.name.endswith(".ipynb")]
            return [written(folder, name, file.read()) for name, file in members if file is not None]
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            names = [one for one in zipped.namelist() if one.endswith(".ipynb")]
            return [written(folder, name, zipped.read(name)) for name in names]
    return []


def written(folder: Path, name: str, data: bytes) -> Path:
    """Write a notebook under a name that is free."""
    number = sum(1 for _ in folder.glob("*/*.ipynb"))
    path = folder / f"{number:03}" / Path(name).name
    path.parent.mkdir()
    path.write_bytes(data)
    return path


def happening(source: str, path: Path, folder: Path) -> Happened:
    """Return what becomes of a notebook."""
    try:
        notebook = dressed(read_notebook(path))
    except Exception as error:  # noqa: BLE001 - some of them are broken on purpose
        wrong = first_line(error).replace(str(path), path.name)
        return Happened(source, path.name, 0, f"not looked at: {type(error).__name__}: {wrong}")
    tasks = sum(is_task_cell(cell.text) for cell in notebook.cells)
    if not tasks:
        return Happened(source, path.name, 0, "not looked at: no code cell for a task")
    return exported(source, path, notebook, tasks, folder)


def exported(source: str, path: Path, notebook: Notebook, tasks: int, folder: Path) -> Happened:
    """Return what becomes of a notebook that has tasks."""
    try:
        package = export(notebook, name=PACKAGE, installed=ANYTHING)
    except CloacaError as error:
        message = first_line(error)
        return Happened(source, path.name, tasks, f"refused: {message}", "cell" in message.lower())
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return Happened(source, path.name, tasks, f"broken: {type(error).__name__}: {first_line(error)}", is_good=False)
    target = write_package(package, folder / f"made-{path.parent.name}")
    again = export(import_package(target).notebook, package.workflow_name, name=package.name, installed=ANYTHING)
    if again.files[package.entry] != package.files[package.entry]:
        return Happened(source, path.name, tasks, "broken: another package after its import", is_good=False)
    happened = imported(source, path.name, tasks, package.files[package.entry], target)
    if happened.what != IMPORTED:
        return happened
    live = lived(notebook, folder / f"lived-{path.parent.name}" / path.name, target)
    return happened._replace(live=live, is_good=not live.startswith("differs"))


def imported(source: str, name: str, tasks: int, text: str, target: Path) -> Happened:
    """Import a package in a process of its own, where what it needs is installed here."""
    modules = {one for node in ast.walk(ast.parse(text)) for one in imported_by(node)}
    absent = sorted(one for one in modules if importlib.util.find_spec(one) is None)
    if absent:
        return Happened(source, name, tasks, f"exported: not imported, since {', '.join(absent)} isn't here")
    command = [sys.executable, "-W", "ignore", "-c", "import soaked_package"]
    try:
        done = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 - our own words
    except subprocess.TimeoutExpired:
        return Happened(source, name, tasks, "broken: its import takes too long", is_good=False)
    if done.returncode:
        return Happened(source, name, tasks, f"broken: {done.stderr.strip().splitlines()[-1]}", is_good=False)
    return Happened(source, name, tasks, IMPORTED)


def imported_by(node: ast.AST) -> list[str]:
    """Return the top-level modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [one.name.partition(".")[0] for one in node.names]
    return [node.module.partition(".")[0]] if isinstance(node, ast.ImportFrom) and node.module else []


def dressed(notebook: Notebook) -> Notebook:
    """Return a notebook in which each cell that does something is a task; imports and definitions stay plain."""
    return replace(notebook, cells=tuple(one for cell in notebook.cells for one in as_task(cell)))


def as_task(cell: Cell) -> Iterable[Cell]:
    """Return a cell with our magic, where it is Python and does more than define."""
    try:
        statements = ast.parse(cell.text).body
    except SyntaxError:  # IPython's own, or broken: left as it is
        return [cell]
    if not statements or cell_magic(cell.text) or all(isinstance(one, DEFINITIONS) for one in statements):
        return [cell]
    return [replace(cell, text=f"%%cloaca_task step_{cell.number}\n{cell.text}")]


def first_line(error: BaseException) -> str:
    """Return the first sentences of what an error says, on one line: as many as fit, or else as many words."""
    text = re.sub(r"\s+", " ", str(error))
    if len(text) <= LONGEST:
        return text
    shown = text[: LONGEST + 1]
    ends = [match.end() for match in re.finditer(r"[.!?](?= )", shown)]
    return text[: ends[-1]] if ends else f"{shown.rpartition(' ')[0]} …"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
