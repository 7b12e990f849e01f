"""The demo notebook in JupyterLab, run as a person runs it, with an eye on the panel."""

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

NOTEBOOK: Final = Path(__file__).resolve().parents[2] / "notebooks" / "01_flight_delays.ipynb"
RUN: Final = "%cloaca_run -o result"
ABOVE_RUN: Final = "%%cloaca_task report"
LAST: Final = 'module = Path("../build/flight_delays/flight_delays/__init__.py")'
TASKS: Final = {
    *("load_flights", "load_weather", "load_planes", "load_airports", "clean", "join"),
    *("overall", "carriers", "routes", "hours", "weather_effect", "ages", "all_months", "report"),
    *(f"month_{month:02d}" for month in range(1, 13)),
}
WIDGET: Final = "application/vnd.jupyter.widget-view+json"

# Notes each change of a task's state on the page, and whether the cell was busy at that moment.
WATCH: Final = """index => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
    const last = new Map();
    window.observed = [];
    const look = () => {
        for (const {dataset} of cell.node.querySelectorAll("[data-task-id][data-state]")) {
            if (last.get(dataset.taskId) === dataset.state) continue;
            last.set(dataset.taskId, dataset.state);
            const busy = cell.model.executionState === "running";
            window.observed.push({task: dataset.taskId, state: dataset.state.toLowerCase(), busy});
        }
    };
    new MutationObserver(look).observe(cell.node, {subtree: true, childList: true, attributes: true});
}"""
MIDWAY: Final = """() => {
    const reached = state => new Set(window.observed.filter(one => one.state === state).map(one => one.task)).size;
    return reached("completed") >= 6 && reached("running") >= 8;
}"""
PICTURE: Final = """index => {
    const {node} = window.jupyterapp.shell.currentWidget.content.widgets[index];
    return node.querySelector('img[src^="data:image/svg+xml"]') && !node.querySelector(".jupyter-widgets");
}"""
COUNT: Final = "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionCount"
DONE: Final = """([index, before]) => {
    const {model} = window.jupyterapp.shell.currentWidget.content.widgets[index];
    return model.executionCount > before && model.executionState === "idle";
}"""
MARKED: Final = re.compile(r'data-task-id="(\w+)" data-state="(\w+)"')

EDITED: Final = "%%cloaca_task carriers"
EDIT: Final = f"""{EDITED}
_all = delays_by(joined, "airline", late_after)
by_carrier = _all[_all["flights"] >= 10 * min_flights]"""
RESUME: Final = "%cloaca_run --resume -o result"
AFFECTED: Final = {"carriers", "report"}  # the edited task, and what follows it


def test_the_panel_follows_a_run_and_its_resumption(lab: Any, open_notebook: Callable[[str], Any]) -> None:
    notebook = open_notebook(put_into(lab.folder))
    page = notebook.page

    notebook.activate(RUN)
    notebook.command("notebook:run-all-above")
    notebook.wait_until_run(ABOVE_RUN)
    assert notebook.errors() == []

    notebook.activate(RUN)
    page.evaluate(WATCH, notebook.index(RUN))
    notebook.command("notebook:run-cell")
    page.wait_for_function(MIDWAY)
    notebook.wait_until_run(RUN)
    page.wait_for_function(PICTURE, arg=notebook.index(RUN))

    states = states_by_task(page.evaluate("() => window.observed"))
    assert set(states) == TASKS
    assert all(seen[-1] == "completed" for seen in states.values()), states
    followed = [task for task, seen in states.items() if "running" in seen]
    assert {"load_flights", "join", "report"} <= set(followed), states

    outputs = notebook.outputs(RUN)
    assert WIDGET not in json.dumps(outputs)

    notebook.edit(EDITED, EDIT)
    run_again(notebook, EDITED)
    notebook.edit(RUN, RESUME)
    page.evaluate(WATCH, notebook.index(RUN))
    run_again(notebook, RUN)
    page.wait_for_function(PICTURE, arg=notebook.index(RUN))
    assert notebook.errors() == []
    expected = {task: "completed" if task in AFFECTED else "taken" for task in TASKS}
    states = states_by_task(page.evaluate("() => window.observed"))
    assert {task: seen[-1] for task, seen in states.items()} == expected  # in the panel
    assert states_in(notebook.outputs(RUN)) == expected  # in the picture that stays

    notebook.activate("## Answers")
    notebook.command("notebook:run-all-below")
    notebook.wait_until_run(LAST)
    assert notebook.errors() == []
    assert (lab.folder / "build" / "flight_delays" / "pyproject.toml").is_file()


def put_into(folder: Path) -> str:
    """Copy the notebook to where its tests may write, and return its path there."""
    (folder / "notebooks").mkdir(exist_ok=True)
    shutil.copy(NOTEBOOK, folder / "notebooks")
    return f"notebooks/{NOTEBOOK.name}"


def run_again(notebook: Any, first_line: str) -> None:
    """Execute a cell that was executed before, and wait until it is done."""
    index = notebook.index(first_line)
    before = notebook.page.evaluate(COUNT, index)
    notebook.run(first_line)
    notebook.page.wait_for_function(DONE, arg=[index, before], polling=50)


def states_in(outputs: list[dict[str, Any]]) -> dict[str, str]:
    """Return the state of each task in the table that is saved with the notebook."""
    html = "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)
    return {task: state.lower() for task, state in MARKED.findall(html)}


def states_by_task(observed: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the states in which each task was seen while the cell was busy."""
    states = defaultdict(list)
    for one in observed:
        if one["busy"]:
            states[one["task"]].append(one["state"])
    return states
