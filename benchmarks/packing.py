"""What it costs to take a workflow out of its notebook: export of a long one, pack and inspect of a large package.

bzip2, which the format asks for, is printed beside: no archive can be made or read in less than it takes.
"""

import bz2
import random
import re
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from figure import Figure
from fresh import Answer, answer, ask

from cloaca_nb.packaging.analysis.notebook import notebook_from_texts
from cloaca_nb.packaging.archive.inspection import inspect_archive
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.pack import pack

__all__ = ["TITLE", "figures"]

TITLE = "Export, pack and inspect"
CELLS = 100
EXPORTED = 1.0  # seconds
LONGER = 1.3  # times bzip2 alone
MEMORY = 60  # MB that reading or making an archive may add, however large it is
MB = 1_000_000
STATUS = Path("/proc/self/status")  # ru_maxrss would count what the parent held when it forked
SIZE = 50  # MB of the large package
QUICK = 10
PROJECT = '[project]\nname = "large"\nversion = "1.0"\n[tool.cloaca]\nentry_module = "large"\n'
ENTRY = 'import cloaca_nb as cloaca\nwith cloaca.WorkflowBuilder("large"):\n    @cloaca.task()\n    def a(c): ...\n'


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure each in a process of its own."""
    size, times = (SIZE // QUICK, 1) if quick else (SIZE, rounds)
    exported = median(ask(__file__, what="export", place="", size=CELLS)["seconds"] for _ in range(times))
    rows = [Figure(what=f"export of {CELLS} cells", value=exported, unit="s", at_most=EXPORTED)]
    with tempfile.TemporaryDirectory() as place:
        _make_project(Path(place), size)
        floor = ask(__file__, what="bzip2", place=place, size=size)
        for what in ("pack", "inspect"):
            found = ask(__file__, what=what, place=place, size=size)
            name = f"{what} of {size} MB"
            note = f"{found['seconds']:.1f} s; bzip2 alone {floor[what]:.1f} s, processor time"
            times_floor = found["seconds"] / floor[what]
            rows += [
                Figure(what=name, value=times_floor, unit="× bzip2", at_most=LONGER, note=note),
                Figure(what=f"{name}, memory", value=found["grown"], unit="MB more", at_most=MEMORY),
            ]
    return rows


def _measured(what: str, place: str, size: int) -> Answer:
    project, archive = Path(place) / "project", Path(place) / "large.cloacina"
    if what == "bzip2":
        return _floor(project)
    before = _peak()
    work: dict[str, Callable[[], object]] = {
        "export": lambda: export(notebook_from_texts("01_long", _cells(size))),
        "pack": lambda: pack(project, archive),
        "inspect": lambda: inspect_archive(archive),
    }
    seconds = _timed(work[what])
    return {"seconds": seconds, "grown": _peak() - before}


def _peak() -> float:
    """Return the most memory that this process ever held, in MB."""
    found = re.search(r"VmHWM:\s*(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    return int(found[1]) / 1_000 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB


def _floor(project: Path) -> Answer:
    data = b"".join(path.read_bytes() for path in sorted((project / "large").iterdir()))
    packed = bz2.compress(data)
    return {"pack": _timed(lambda: bz2.compress(data)), "inspect": _timed(lambda: bz2.decompress(packed))}


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _cells(count: int) -> list[str]:
    """Return a notebook of imports, helpers and task cells that use one another."""
    cells = ["import math\nimport json\nfrom pathlib import Path"]
    for number in range(count // 2):
        before = f"value_{number - 1}" if number else "0"
        cells += [
            f"LIMIT_{number} = {number}\n\n\ndef helper_{number}(x):\n    return math.floor(x) + LIMIT_{number}",
            f"%%cloaca_task task_{number}\nvalue_{number} = helper_{number}({before})\nprint(value_{number})",
        ]
    return cells[:count]


def _make_project(place: Path, size: int) -> None:
    """Write a package of one task and that many MB of text that compresses to about half."""
    chance = random.Random(1)  # noqa: S311 - the same data each time
    folder = place / "project"
    (folder / "large").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "large" / "__init__.py").write_text(ENTRY)
    for number in range(size):
        (folder / "large" / f"table_{number}.txt").write_text(chance.randbytes(MB // 2).hex())


if __name__ == "__main__":
    answer(_measured)
