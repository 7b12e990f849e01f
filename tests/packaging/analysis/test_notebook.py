"""A notebook's cells, as messages name them."""

import pytest

from cloaca_nb.packaging.analysis.notebook import Cell

NAMES = {
    "": "cell 3, line 2",
    "a1b2": "cell 3 (id a1b2), line 2",
    "failing-run": "cell 3 (id failing-run), line 2",
    "c11458ed-ec5d-4fb3-a114-313156e6b019": "cell 3 (id c11458ed), line 2",
}


@pytest.mark.parametrize("cell_id", NAMES)
def test_a_cell_is_named_by_its_place_and_the_beginning_of_its_id(cell_id: str) -> None:
    assert Cell(3, cell_id, "").at(2) == NAMES[cell_id]
