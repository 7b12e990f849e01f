"""Whether a notebook that is executed comes to the same as its package: the same files, tasks and final context."""

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from live import ANYTHING, PACKAGE, Outcome

from cloaca_nb.packaging.analysis.notebook import Notebook, notebook_text, read_notebook
from cloaca_nb.packaging.export.export import export

__all__ = ["lived"]

LIVE: Final = Path(__file__).with_name("live.py")
PATIENCE: Final = 60.0  # seconds for one execution


def lived(notebook: Notebook, path: Path, target: Path) -> str:
    """Execute a notebook, and its package, and return how the two compare."""
    path.parent.mkdir()
    path.write_text(notebook_text(notebook.cells), "utf-8")
    saved = export(read_notebook(path), name=PACKAGE, installed=ANYTHING)
    live = executed(path.parent, str(path))
    if isinstance(live, str) or live.failed:
        return f"not compared: it {live}" if isinstance(live, str) else f"not compared: {live.failed}"
    if live.files != dict(saved.files):
        return f"differs: the package of a live export; {live.refused}"
    package = executed(path.parent, str(target), PACKAGE)
    if isinstance(package, str):
        return f"differs: the package {package}"
    found = compared(live, package)
    if live.dag == package.dag and live.end != package.end and package != executed(path.parent, str(target), PACKAGE):
        return "the same tasks: its values are others in each run"
    return found


def compared(live: Outcome, package: Outcome) -> str:
    """Return how a notebook and its package compare."""
    if live.dag != package.dag:
        return f"differs: {first_difference(live.dag, package.dag)}"
    return (
        f"the same: {live.end[0]}" if live.end == package.end else f"differs: {first_difference(live.end, package.end)}"
    )


def first_difference(live: Sequence[str], package: Sequence[str]) -> str:
    """Return the first line of which only one has that."""
    pairs = zip_longest(live, package, fillvalue="nothing")
    return next(f"{one[:100]} → {other[:100]}" for one, other in pairs if one != other)


def executed(folder: Path, *arguments: str) -> Outcome | str:
    """Execute a notebook or a package in a process of its own; return what it came to, or how the process ended."""
    environment = {
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
        "IPYTHONDIR": str(folder),
        "CLOACA_HISTORY": ":memory:",
    }
    environment |= {"MPLBACKEND": "agg", "PYTHONHASHSEED": "0", "PIP_NO_INDEX": "1"}
    command = [sys.executable, str(LIVE), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            start_new_session=True,  # whose signals to its group are no business of this one
        )
    except subprocess.TimeoutExpired:
        return f"doesn't end within {PATIENCE:g} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return f"ends with exit code {done.returncode}" + (f": {last[:160]}" if last else "")
    told: dict[str, Any] = json.loads(done.stdout)
    facts: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in told.items()}
    return Outcome(**facts)
