"""Which data a package finds only where it is run."""

from pathlib import Path

import pytest

from cloaca_nb.packaging.analysis.notebook import notebook_from_texts
from cloaca_nb.packaging.export.export import export

TITLE = "Read from the folder where the package is run, so not carried:"
CASES = {
    # cells, what is said
    "by a task": (["%%cloaca_task a\nx = open('bees.csv').read()"], ("bees.csv",)),
    "by a helper": (
        ["def far():\n    return open('in/far.csv')", "%%cloaca_task a\nx = far().read()"],
        ("in/far.csv",),
    ),
    "by a decorated task": (
        ["import cloaca_nb as cloaca\n@cloaca.task()\ndef a(context):\n    context['x'] = open('bees.csv').read()"],
        ("bees.csv",),
    ),
    "not there": (["%%cloaca_task a\nx = open('made.csv').read()"], ()),
    "a whole path": (["%%cloaca_task a\nx = open('/etc/hosts').read()"], ()),
    "no name of a file": (["%%cloaca_task a\nx = open('\\0').read()"], ()),
    "by a cell that stays behind": (["open('bees.csv')", "%%cloaca_task a\nx = 1"], ()),
}


@pytest.mark.parametrize("case", CASES)
def test_files_beside_the_notebook_are_named(case: str, tmp_path: Path) -> None:
    cells, said = CASES[case]
    (tmp_path / "in").mkdir()
    for path in ("bees.csv", "in/far.csv"):
        (tmp_path / path).write_text("hive\n")
    package = export(notebook_from_texts("garden", cells, tmp_path))
    assert package.opens == said
    assert package.behind.get(TITLE, ()) == said
    assert export(notebook_from_texts("garden", cells)).opens == ()  # where the notebook lies isn't known
