"""What keeps tasks from being run is said, each with a way out that is there."""

import pytest

from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.errors import CellError
from cloaca_nb.notebook.obstacles import obstacles, removal, told


def test_a_task_of_another_workflow_is_taken_out_by_its_name():
    here, there = LooseTasks("flights"), LooseTasks("weather")
    assert removal(here, here) == "%cloaca_workflow --remove"
    assert removal(there, here) == "%cloaca_workflow weather --remove"


def test_nothing_keeps_no_task_from_being_run():
    assert list(obstacles(LooseTasks("flights"), {}, (), "%cloaca_workflow --remove")) == []


@pytest.mark.parametrize(("notes", "expected"), [((), ["wrong"]), (("mend it",), ["wrong", "mend it"])])
def test_an_error_is_told_with_its_notes(notes, expected):
    error = CellError("wrong")
    for note in notes:
        error.add_note(note)
    assert told(error) == expected
    assert told(None) == []
