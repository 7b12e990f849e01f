"""The panel's page on its own in a browser: fed with messages as the kernel sends them."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from cloaca_nb.core.duration import duration
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.notebook import panel as panel_module
from cloaca_nb.notebook.panel import Panel

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FOLDER: Final = Path(panel_module.__file__).parent
NASTY: Final = "<img src=x onerror=document.title='hit'>"

# A model as anywidget hands it to the page: `feed` is the kernel's voice, `sent` its ear.
SETUP: Final = """async ([graph, state, source]) => {
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const page = (await import(url)).default;
    const data = {graph, state}, listeners = new Set();
    window.sent = [];
    window.interrupts = 0;
    window.feed = state => { data.state = {...data.state, ...state}; for (const each of [...listeners]) each(); };
    const model = {
        get: name => data[name],
        on: (_, listener) => listeners.add(listener),
        off: (_, listener) => listeners.delete(listener),
        send: message => window.sent.push(message),
        widget_manager: {kernel: {interrupt: () => { window.interrupts += 1; }}},
    };
    page.initialize({model});
    window.leave = page.render({model: {...model}, el: document.body});
    window.listeners = listeners;
}"""


def flow(count: int) -> Workflow:
    """Return a chain whose second task has a name that would run if it were taken for HTML."""
    names = ["load", NASTY, *(f"t{n}" for n in range(2, count))][:count]
    return Workflow("flow", [Task(name, len, tuple(names[max(n - 1, 0) : n])) for n, name in enumerate(names)])


def open_panel(page: Page, workflow: Workflow) -> None:
    """Show the panel in an empty page."""
    panel = Panel(workflow, on_cancel=lambda: None)
    facts = [panel._graph(), panel._state(panel._rows.all()), (FOLDER / "panel.js").read_text()]
    page.set_content("<!doctype html><body></body>")
    page.add_style_tag(path=FOLDER / "panel.css")
    page.evaluate(SETUP, json.loads(json.dumps(facts)))


def feed(page: Page, *rows: list[Any], **state: object) -> None:
    """Say what the kernel would."""
    page.evaluate("message => window.feed(message)", {"rows": rows, **state})


def task_states(page: Page, kind: str) -> dict[str, str]:
    """Return each task's state as the marks in the list (".row") or graph (".task") say it."""
    found: dict[str, str] = page.evaluate(
        """kind => Object.fromEntries(
            [...document.querySelectorAll(kind)].map(({dataset}) => [dataset.taskId, dataset.state])
        )""",
        kind,
    )
    return found


def test_list_and_graph_follow_the_messages_and_ids_stay_text(page: Page) -> None:
    open_panel(page, flow(3))
    feed(page, [0, "Completed", 0, 2.25, 2, None, ""], [1, "Running", 2.25, None, 1, 0.5, "3/6 <b>files</b>"], now=3)
    for kind in (".row", ".task"):
        assert task_states(page, kind) == {"load": "Completed", NASTY: "Running", "t2": "Waiting"}
    feed(page, [1, "Failed", 2.25, 3.25, 1, None, "ValueError: no"], now=4, status="Failed", ended=True)
    assert task_states(page, ".row") == {"load": "Completed", NASTY: "Failed", "t2": "Waiting"}
    expect(page.locator(".cloaca-panel")).to_have_attribute("data-run-status", "Failed")
    expect(page.locator(".row .note").nth(1)).to_have_text("ValueError: no")
    expect(page.locator(".row .attempts").first).to_have_text("×2")
    assert page.locator(".cloaca-panel img").count() == 0
    assert page.title() == ""


def test_a_task_that_was_taken_from_history_is_over_and_has_a_look_of_its_own(page: Page) -> None:
    open_panel(page, flow(3))
    because = "unchanged since run 09e9d5f2"
    feed(page, [0, "Taken", None, 0.1, 0, None, because], [1, "Completed", 0.1, 1, 1, None, ""], now=2)
    assert task_states(page, ".task") == {"load": "Taken", NASTY: "Completed", "t2": "Waiting"}
    taken, completed, _ = page.locator(".row").all()
    expect(taken.locator(".note")).to_have_text(because)
    expect(taken.locator(".note")).to_have_attribute("title", because)
    expect(taken.locator(".time")).to_have_text("taken")
    expect(taken.locator(".run")).to_be_hidden()
    expect(page.locator(".bar")).to_have_attribute("aria-valuenow", "2")
    expect(page.locator('.chip[data-state="Taken"]')).to_have_text("1")
    signs = [row.locator(".sign").get_attribute("d") for row in (taken, completed)]
    colours = [row.locator(".sign").evaluate("sign => getComputedStyle(sign).stroke") for row in (taken, completed)]
    assert len(set(signs)) == len(set(colours)) == 2


@pytest.mark.parametrize("seconds", [0.042, 0.9994, 0.9996, 3.14, 59.94, 59.96, 75, 3599.4, 3720])
def test_durations_read_as_in_the_static_table(page: Page, seconds: float) -> None:
    open_panel(page, flow(1))
    feed(page, [0, "Completed", 0, seconds, 1, None, ""], now=seconds, status="Completed", ended=True)
    expect(page.locator(".row .time")).to_have_text(duration(seconds))


def test_the_time_of_a_running_task_goes_on_without_messages(page: Page) -> None:
    open_panel(page, flow(1))
    feed(page, [0, "Running", 1, None, 1, None, ""], now=11)
    expect(page.locator(".row .time")).to_have_text(re.compile(r"^1[0-9]\.\d s$"))
    shown = float(page.locator(".row .time").inner_text().split()[0])
    page.wait_for_function(
        "shown => parseFloat(document.querySelector('.row .time').textContent) > shown + 0.5", arg=shown
    )


def test_of_many_tasks_each_message_holds_only_some(page: Page) -> None:
    open_panel(page, flow(400))
    feed(page, [5, "Running", 0, None, 1, None, ""], now=1)
    feed(page, [6, "Running", 0, None, 1, None, ""], now=2)
    states = task_states(page, ".task")
    assert len(states) == 400
    assert {task_id for task_id, state in states.items() if state == "Running"} == {"t5", "t6"}


def test_nothing_moves_when_states_change(page: Page) -> None:
    open_panel(page, flow(5))
    places = """[...document.querySelectorAll("header, .graph, .row, .track, .card")].map(
        element => element.getBoundingClientRect().toJSON()
    )"""
    before = page.evaluate(places)
    feed(
        page,
        [0, "Completed", 0, 2, 3, None, ""],
        [1, "Failed", 2, 3, 1, None, "ValueError: " + "long " * 100],
        [2, "Skipped", None, None, 0, None, "because it failed"],
        now=3,
        status="Failed",
        ended=True,
    )
    assert page.evaluate(places) == before


def test_cancel_tells_the_kernel_and_waits_for_its_answer(page: Page) -> None:
    open_panel(page, flow(1))
    page.clock.install()
    page.get_by_role("button", name="Cancel").click()
    assert page.evaluate("window.sent") == [{"type": "cancel"}]
    expect(page.get_by_role("button", name="Cancelling…")).to_be_disabled()
    feed(page, cancelling=True)
    page.clock.run_for(2_000)
    assert page.evaluate("window.interrupts") == 0


def test_cancel_interrupts_a_kernel_that_does_not_answer(page: Page) -> None:
    open_panel(page, flow(1))
    page.clock.install()
    page.get_by_role("button", name="Cancel").click()
    page.clock.run_for(900)
    assert page.evaluate("window.interrupts") == 0
    page.clock.run_for(200)
    assert page.evaluate("window.interrupts") == 1


def test_a_task_that_is_pointed_at_lights_up_in_list_and_graph(page: Page) -> None:
    open_panel(page, flow(3))
    page.locator(".row").first.hover()
    lit = page.locator("[data-lit]")
    assert sorted(lit.evaluate_all("all => all.map(e => e.classList[0])")) == ["edge", "row", "task"]


def test_a_closed_view_listens_no_more(page: Page) -> None:
    open_panel(page, flow(1))
    page.evaluate("window.leave()")
    assert page.evaluate("window.listeners.size") == 1  # the model's own
