"""Levels and rows of tasks, before anything has a length."""

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.drawing.ranks import ranked, sorted_levels


def flow(edges):
    """Return a workflow of ``{"task": "its dependencies"}``."""
    return Workflow("flow", [Task(name, len, tuple(sources.split())) for name, sources in edges.items()])


def ranks_of(edges):
    workflow = flow(edges)
    return ranked(workflow, [(source, target) for target in edges for source in workflow.dependencies[target]])


def test_a_level_is_the_longest_way_and_a_long_edge_passes_those_between() -> None:
    (part,) = ranks_of({"load": "", "clean": "load", "report": "load clean"})
    assert {task_id: level for task_id, (level, _) in part.places.items()} == {"load": 0, "clean": 1, "report": 2}
    assert [level for level, _ in part.routes["load", "report"]] == [1]


def test_tasks_that_hang_together_are_one_part_and_the_largest_comes_first() -> None:
    parts = ranks_of({"alone": "", "a": "", "b": "a", "c": "", "d": "c", "e": "c"})
    assert [set(part.places) for part in parts] == [{"c", "d", "e"}, {"a", "b"}, {"alone"}]
    assert [part.rows for part in parts] == [2, 1, 1]


def test_earlier_tasks_stand_above_later_ones_where_the_edges_leave_the_choice() -> None:
    (part,) = ranks_of({"load": "", **{f"t{n}": "load" for n in range(9)}, "all": " ".join(f"t{n}" for n in range(9))})
    rows = [part.places[f"t{n}"][1] for n in range(9)]
    assert rows == sorted(rows)


def test_levels_too_many_for_the_library_are_sorted_by_what_their_tasks_depend_on() -> None:
    workflow = flow({"a": "", "b": "", "after_b": "b", "after_a": "a"})
    assert list(sorted_levels(workflow)) == [["a", "b"], ["after_a", "after_b"]]
    fan = {"load": "", **{f"t{n}": "load" for n in range(500)}}
    (part,) = ranks_of(fan)
    assert part.rows == 500
