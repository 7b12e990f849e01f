"""The loose tasks of a notebook: which cell defines which, and drafts of what isn't finished yet."""

from cloaca_nb.core.cells import compile_function, parse_task_cell
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.loose import LooseTasks


def cell(text):
    parsed = parse_task_cell(text)
    return CellTask(parsed, lambda function: compile_function(function, "<cell>", {}), {}, where="Cell In[1]")


def loose(*entries):
    made = LooseTasks("w")
    for entry in entries:
        made.add(entry)
    return made


LOAD = "%%cloaca_task load\nrows = [1]"


def test_a_cell_sees_what_the_others_set_and_not_its_own():
    tasks = loose(cell(LOAD), cell("%%cloaca_task more\nrows = rows + [2]"), Task("old", print, keys=Keys(sets=("x",))))
    assert tasks.outputs_for("load") == {"rows", "x"}
    assert tasks.outputs_for("old") == {"rows"}
    assert tasks.workflow().dependencies["more"] == ("load",)


def test_a_draft_leaves_out_what_is_not_there_yet():
    tasks = loose(
        cell(LOAD),
        cell("%%cloaca_task broken --out gone\nx = 1"),
        cell("%%cloaca_task late --after absent,load --trigger-rules 'task_failed(\"absent\")'\ny = rows"),
        Task("old", print, dependencies=("absent", "load")),
    )
    assert tasks.draft().dependencies == {"load": (), "late": ("load",), "old": ("load",)}


def test_a_cell_that_stops_defining_a_task_takes_it_out():
    tasks = loose(cell(LOAD), cell("%%cloaca_task use\nx = rows"))
    assert tasks.settle_cell("a", ["load", "use"]) == []
    assert tasks.settle_cell("a", ["load"], finished=False) == []
    assert tasks.settle_cell("a", ["load"]) == ["use"]
    assert tasks.ids() == ["load"]


def test_a_task_that_another_cell_defines_by_now_stays():
    tasks = loose(cell(LOAD))
    tasks.settle_cell("a", ["load"])
    tasks.settle_cell("b", ["load"])
    assert tasks.settle_cell("a", []) == []
    assert tasks.ids() == ["load"]


class Years:
    """Parameters whose values change."""

    names, secret = ("year", "title"), ("title",)

    def __init__(self):
        self.defaults = {"year": 1, "title": "of 1"}

    def values(self):
        return self.defaults

    def rules(self):
        return {"title": lambda year: f"of {year}"}


def test_parameters_are_those_of_the_moment_in_which_the_workflow_is_asked_for():
    tasks = loose(cell("%%cloaca_task a\nx = year"))
    tasks.source = Years()
    assert tasks.parameters == ("year", "title")
    assert tasks.workflow().parameters == {"year": 1, "title": "of 1"}
    tasks.source.defaults = {"year": 2, "title": "of 2"}
    workflow = tasks.workflow()
    assert (workflow.parameters["year"], workflow.secret) == (2, ("title",))
    assert workflow.filled({"year": 3}) == {"year": 3, "title": "of 3"}
