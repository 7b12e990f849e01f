"""The demo notebook in JupyterLab, run as a person runs it, with an eye on the panel."""

import json
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


def test_the_panel_follows_the_run_and_leaves_a_picture(lab: Any, open_notebook: Callable[[str], Any]) -> None:
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


def states_by_task(observed: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the states in which each task was seen while the cell was busy."""
    states = defaultdict(list)
    for one in observed:
        if one["busy"]:
            states[one["task"]].append(one["state"])
    return states
