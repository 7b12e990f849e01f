"""Pictures: well-formed SVG that shows each task's state, whatever the ids hold."""

from base64 import b64decode
from xml.etree import ElementTree as ET

import pytest

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.look import TAKEN
from cloaca_nb.core.record import RunRecord
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.drawing.layout import lay_out
from cloaca_nb.notebook.drawing.picture import draw, image

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>&\"'</script>"


def flow(dependencies):
    return Workflow("flow", [Task(name, lambda _context: None, tuple(names)) for name, names in dependencies.items()])


def finished(task_id, outcome, at=3.0, reason=""):
    return events.TaskFinished(at, "r", task_id, 1, outcome, {}, None, reason)


def record_of(workflow, *facts):
    record = RunRecord()
    for fact in (events.RunStarted(1.0, "r", workflow, "run", {}), *facts):
        record.observe(fact)
    return record


def tasks_of(svg):
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    return {found.get("data-task-id"): found for found in root.iter() if found.get("data-task-id")}


def texts(element):
    return [found.text for found in element.iter(f"{SVG}text")]


WORKFLOW = flow({"load": [], "clean": ["load"], NASTY: ["load"], "join": ["clean", NASTY]})


def test_it_shows_state_and_time_of_each_task():
    record = record_of(
        WORKFLOW,
        events.AttemptStarted(1.0, "r", "load", 1),
        finished("load", Outcome.COMPLETED),
        events.AttemptStarted(3.0, "r", "clean", 1),
        finished(NASTY, Outcome.SKIPPED, reason="because <it> failed"),
    )
    drawn = tasks_of(draw(lay_out(WORKFLOW), record, now=4.5))
    assert {task_id: found.get("data-state") for task_id, found in drawn.items()} == {
        "load": "Completed",
        "clean": "Running",
        NASTY: "Skipped",
        "join": "Waiting",
    }
    assert texts(drawn["load"]) == ["load", "2.0 s"]
    assert texts(drawn["clean"]) == ["clean", "1.5 s"]
    assert texts(drawn["join"]) == ["join"]
    assert drawn[NASTY].find(f"{SVG}title").text == f"{NASTY} · Skipped · because <it> failed"


def test_a_task_that_was_taken_from_history_says_so():
    taken = events.TaskFinished(1.0, "r", "load", 0, Outcome.COMPLETED, {}, None, "unchanged since run b", {}, "run-b")
    drawn = tasks_of(draw(lay_out(WORKFLOW), record_of(WORKFLOW, taken), now=4.5))
    assert drawn["load"].get("data-state") == "Taken"
    assert texts(drawn["load"]) == ["load", "taken"]
    assert drawn["load"].find(f"{SVG}title").text == "load · Taken · unchanged since run b"


def test_without_a_run_it_shows_the_workflow_alone():
    drawn = tasks_of(draw(lay_out(WORKFLOW)))
    assert {found.get("data-state") for found in drawn.values()} == {"Plain"}
    assert [texts(found) for found in drawn.values()] == [["load"], ["clean"], [NASTY], ["join"]]


@pytest.mark.parametrize(("theme", "dark"), [("light", False), ("auto", True)])
def test_it_follows_the_colour_scheme_if_asked(theme, dark):
    assert ("prefers-color-scheme" in draw(lay_out(WORKFLOW), theme=theme)) is dark


def test_every_state_has_rules_for_its_card():
    svg = draw(lay_out(WORKFLOW))
    assert all(f"[data-state={state}] .card" in svg for state in [*map(str, Outcome), str(Status.CANCELLED), TAKEN])


def test_many_tasks_become_dots_without_labels():
    workflow = flow({"root": [], **{f"t{n}": ["root"] for n in range(300)}})
    drawn = tasks_of(draw(lay_out(workflow), record_of(workflow)))
    assert len(drawn) == 301
    assert {(found.tag, found.get("data-state")) for found in drawn.values()} == {(f"{SVG}circle", "Waiting")}


def test_an_image_holds_the_picture_and_words_for_it():
    svg = draw(lay_out(WORKFLOW))
    found = ET.fromstring(image(svg, 'a "graph"').replace('">', '"/>'))  # noqa: S314 - our own text
    head, _, data = found.get("src").partition(",")
    assert head == "data:image/svg+xml;base64"
    assert b64decode(data).decode() == svg
    assert found.get("alt") == 'a "graph"'
