"""Which run logs and a diff are about where none is named."""

import re

import pytest

BEES = ("%cloaca_workflow bees", "%%cloaca_task load\nprint('buzz')\nrows = [1]", "%cloaca_run --no-panel")
HEADING = r"bees, run {}, \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\S*"


@pytest.fixture
def bees(cell):
    """A notebook whose workflow has been run once; its run's short name is `name`."""
    for text in (*BEES[:2], "ran = " + BEES[2]):
        assert cell(text).error is None
    return cell


def text_of(ran) -> str:
    assert ran.error is None, ran.error
    return ran.value._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("line", ["%cloaca_logs", "%cloaca_logs -f", "%cloaca_diff"])
def test_a_workflow_that_never_ran_has_none(line, bees) -> None:
    bees("%cloaca_workflow fresh")
    bees("%%cloaca_task hello\nx = 1")
    error = str(bees(line).error)
    assert "Workflow 'fresh' has no run yet: %cloaca_run makes the first. %cloaca_history lists the runs" in error


def test_the_latest_of_the_notebooks_own_needs_no_heading_and_another_has_one(bees) -> None:
    name = bees.names["ran"].run_id[-8:]
    assert text_of(bees("%cloaca_logs")) == "buzz"
    for text in ("%cloaca_workflow fresh", "%%cloaca_task hello\nprint('hi')", "%cloaca_run --no-panel"):
        assert bees(text).error is None
    assert text_of(bees("%cloaca_logs")) == "hi"
    heading, *log = text_of(bees(f"%cloaca_logs --run {name}")).splitlines()
    assert re.fullmatch(HEADING.format(name), heading)
    assert log == ["buzz"]
    assert f">{heading}</div>" in bees(f"%cloaca_logs --run {name}").value._repr_mimebundle_()["text/html"]
    assert bees(f"%cloaca_logs -f --run {name}").out == f"{heading}\nload │ buzz\n"
    assert text_of(bees("%cloaca_logs --run last")) == "hi"


def test_where_the_workflow_that_cells_join_has_no_task_yet_it_says_whose_run_it_is(bees) -> None:
    bees("%cloaca_workflow fresh")
    heading, log = text_of(bees("%cloaca_logs")).splitlines()
    assert re.fullmatch(HEADING.format(bees.names["ran"].run_id[-8:]), heading)
    assert log == "buzz"


def test_a_diff_is_of_the_notebooks_own_workflow(bees) -> None:
    for text in ("%cloaca_workflow fresh", "%%cloaca_task hello\nx = 1", *["%cloaca_run --no-panel"] * 2):
        assert bees(text).error is None
    assert bees("%cloaca_workflow bees").error is None
    assert "compare run" in str(bees("%cloaca_diff").error)
    assert bees("%cloaca_run --no-panel").error is None
    assert str(bees("%cloaca_diff").value).startswith("bees: run ")
