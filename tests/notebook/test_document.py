"""What was executed, laid beside the saved file."""

import pytest

from cloaca_nb.notebook.document import Executed, laid_beside
from cloaca_nb.packaging.analysis.notebook import Cell

SAVED = [Cell(1, "top", "a = 1"), Cell(2, "mid", "b = 2"), Cell(3, "end", "c = 3")]
AT = 100.0
BEFORE, AFTER = 50.0, 150.0
# What was executed (id, text, when), and what is exported (number, id, text) with what is said of it.
CASES = {
    "all of it, in another order": (
        [("end", "c = 3", AFTER), ("mid", "b = 2", AFTER), ("top", "a = 1", BEFORE)],
        [(1, "top", "a = 1"), (2, "mid", "b = 2"), (3, "end", "c = 3")],
        [],
    ),
    "another text than was saved": (
        [("top", "a = 1", AFTER), ("mid", "b = 20", AFTER), ("end", "c = 3", AFTER)],
        [(1, "top", "a = 1"), (2, "mid", "b = 20"), (3, "end", "c = 3")],
        ["cell 2 (id mid), line 1: exported as executed, which is not what the saved file has"],
    ),
    "one that never ran": (
        [("top", "a = 1", AFTER), ("end", "c = 3", AFTER)],
        [(1, "top", "a = 1"), (3, "end", "c = 3")],
        ["cell 2 (id mid), line 1: never executed, so not exported: b = 2"],
    ),
    "a new cell stands behind the one executed before it": (
        [("top", "a = 1", BEFORE), ("new", "n = 0\nm = 1", AFTER), ("mid", "b = 2", AFTER), ("end", "c = 3", AFTER)],
        [(1, "top", "a = 1"), (2, "new", "n = 0\nm = 1"), (3, "mid", "b = 2"), (4, "end", "c = 3")],
        ["1 cell is not in the saved file yet, exported as executed; save the notebook: n = 0"],
    ),
    "a new cell above all others": (
        [("new", "n = 0", AFTER), ("top", "a = 1", BEFORE), ("mid", "b = 2", AFTER), ("end", "c = 3", AFTER)],
        [(1, "new", "n = 0"), (2, "top", "a = 1"), (3, "mid", "b = 2"), (4, "end", "c = 3")],
        ["1 cell is not in the saved file yet, exported as executed; save the notebook: n = 0"],
    ),
    "a cell that was deleted before the file was saved": (
        [("top", "a = 1", BEFORE), ("gone", "g = 0", BEFORE), ("mid", "b = 2", AFTER), ("end", "c = 3", AFTER)],
        [(1, "top", "a = 1"), (2, "mid", "b = 2"), (3, "end", "c = 3")],
        ["no longer in the saved file, so not exported: g = 0"],
    ),
    "no ids: cells are known by their text": (
        [("", "c = 3", AFTER), ("", "a = 1", AFTER), ("", "b = 2", AFTER)],
        [(1, "top", "a = 1"), (2, "mid", "b = 2"), (3, "end", "c = 3")],
        [],
    ),
    "ids of the front end's own": (
        [("W0s", "a = 1", AFTER), ("W1s", "b = 2", AFTER), ("W2s", "c = 3", AFTER)],
        [(1, "top", "a = 1"), (2, "mid", "b = 2"), (3, "end", "c = 3")],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_cells_are_exported_as_executed_in_document_order(case) -> None:
    ran, cells, differences = CASES[case]
    found = laid_beside([Executed(*one) for one in ran], SAVED, AT)
    assert [(cell.number, cell.id, cell.text) for cell in found.cells] == cells
    assert list(found.differences) == differences


def test_the_cell_that_exports_need_not_have_been_executed() -> None:
    saved = [Cell(1, "a", "a = 1"), Cell(2, "b", "%cloaca_export out --archive"), Cell(3, "c", "  ")]
    assert laid_beside([Executed("a", "a = 1", AFTER)], saved, AT).differences == ()


def test_of_many_cells_that_were_never_saved_three_are_named() -> None:
    ran = [Executed(f"{number}", f"x{number} = {'1' * 99}", AFTER) for number in range(1200)]
    [said] = laid_beside(ran, [], AT).differences
    named = [f"x{number} = …" for number in range(3)]
    assert (
        said
        == f"1,200 cells are not in the saved file yet, exported as executed; save the notebook: {'; '.join(named)}; …"
    )
