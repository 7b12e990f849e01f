"""The panel's page on its own in a browser: fed with messages as the kernel sends them."""

import json
import re
from collections import defaultdict
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from cloaca_nb.core.duration import duration
from cloaca_nb.core.events import RunFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.status import Status
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.panel.panel import Panel
from cloaca_nb.notebook.panel.widget import PanelWidget

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NASTY: Final = "<img src=x onerror=document.title='hit'>"

# A model as anywidget hands it to the page: `feed`, `choose` and `say` are the kernel's voice, `sent` its ear. What is
# beyond anywidget's contract is there in Jupyter only.
SETUP: Final = """async ([traits, source, beyond]) => {
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const page = (await import(url)).default;
    const data = {...traits}, heard = new Map();
    const tell = (name, ...said) => { for (const each of [...heard.get(name) ?? []]) each(...said); };
    const set = (name, value) => { data[name] = value; tell(`change:${name}`); };
    window.sent = [];
    window.interrupts = 0;
    window.outputs = []; // of the second cell of a notebook
    const listed = all => ({
        get length() { return all.length; },
        get: place => all[place],
        set: (place, one) => { all[place] = one; },
        add: one => all.push(one),
    });
    const context = {model: {cells: listed([{}, {outputs: listed(window.outputs)}])}};
    window.slots = new Set(); // of the kernel's messages, to whomever
    window.tellOnIopub = message => { for (const slot of window.slots) slot(kernel, message); };
    const iopubMessage = {connect: slot => window.slots.add(slot), disconnect: slot => window.slots.delete(slot)};
    const kernel = {iopubMessage, interrupt: () => { window.interrupts += 1; }};
    window.feed = state => set("state", {...data.state, ...state});
    window.choose = chosen => set("chosen", chosen);
    window.know = usual => set("usual", usual);
    window.say = message => tell("msg:custom", message);
    window.die = () => tell("comm_live_update");
    window.heard = () => [...heard.values()].reduce((sum, each) => sum + each.size, 0);
    window.model = {
        get: name => data[name],
        set,
        save_changes: () => {},
        on: (name, listener) => heard.set(name, (heard.get(name) ?? new Set()).add(listener)),
        off: (name, listener) => heard.get(name).delete(listener),
        send: message => window.sent.push(message),
        ...(beyond && {widget_manager: {kernel, context}}),
    };
    window.page = page;
    window.close = page.initialize({model: window.model});
    const isDisplayed = !traits.graph.after;
    window.leave = isDisplayed && page.render({model: {...window.model}, el: document.body});
}"""


# Where each bar stands, how wide it is, which share of it is done, and where the times stand: all in percent.
PLACES: Final = """() => {
    const percent = (part, whole) => Math.round(100 * part / whole);
    const box = element => element.getBoundingClientRect();
    const within = (one, whole) => [percent(one.left - whole.left, whole.width), percent(one.width, whole.width)];
    const all = kind => [...document.querySelectorAll(kind)];
    return {
        bars: all(".track").map(track => within(box(track.querySelector(".run")), box(track))),
        shares: all(".run").map(bar => within(box(bar.firstChild), box(bar))[1]),
        axis: all(".axis span").map(time => [time.textContent, within(box(time), box(all(".track")[0]))[0]]),
    };
}"""


def flow(count: int) -> Workflow:
    """Return a chain whose second task has a name that would run if it were taken for HTML."""
    names = ["load", NASTY, *(f"t{n}" for n in range(2, count))][:count]
    return Workflow("flow", [Task(name, len, tuple(names[max(n - 1, 0) : n])) for n, name in enumerate(names)])


def open_panel(page: Page, workflow: Workflow, *, in_jupyter: bool = True, **options: str) -> Panel:
    """Show the panel in an empty page, by default with what only Jupyter has, and return the kernel's side of it."""
    panel = Panel(workflow, on_cancel=lambda: None, on_again=lambda _: None, **options)
    facts = [{"graph": panel._graph(), "usual": {}, **panel._whole()}, str(PanelWidget._esm), in_jupyter]
    page.set_content("<!doctype html><body></body>")
    page.add_style_tag(content=str(PanelWidget._css))
    page.evaluate(SETUP, json.loads(json.dumps(facts)))
    return panel


def feed(page: Page, *rows: list[Any], **state: object) -> None:
    """Say what the kernel would."""
    page.evaluate("message => window.feed(message)", {"rows": rows, **state})


def wait_until_painted(page: Page) -> None:
    """Wait for the next painting of the page, which shows everything that was said or done before."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def task_states(page: Page, kind: str) -> dict[str, str]:
    """Return each task's state as the marks in the list (".row") or graph (".task") say it."""
    wait_until_painted(page)
    found: dict[str, str] = page.evaluate(
        """kind => Object.fromEntries(
            [...document.querySelectorAll(kind)].map(({dataset}) => [dataset.taskId, dataset.state])
        )""",
        kind,
    )
    return found


def stop_time(page: Page) -> None:
    """Have time go on by `page.clock.run_for` only."""
    page.clock.install(time=0)
    page.clock.pause_at(1)


def dots(page: Page) -> dict[tuple[int, ...], set[str]]:
    """Return the ids of the tasks of a graph of many by the colours, with opacity, of their dots."""
    wait_until_painted(page)
    found = defaultdict(set)
    for task_id, colour in page.evaluate("""() => {
        const canvas = document.querySelector(".graph canvas");
        const {tasks, width} = window.model.get("graph");
        const scale = canvas.width / width;
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return tasks.map(({id, box: [left, top, wide, high]}) => {
            const [x, y] = [left + wide / 2, top + high / 2].map(one => Math.round(one * scale));
            return [id, [...data.slice(4 * (y * canvas.width + x), 4 * (y * canvas.width + x) + 4)]];
        });
    }"""):
        found[tuple(colour)].add(task_id)
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
    expect(page.locator('.chip[data-state="Failed"]')).to_be_hidden()
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
    page.locator(".row").click()
    elapsed = page.locator(".facts .elapsed .fact")
    expect(elapsed).to_have_text(re.compile(r"^1[0-9]\.\d s$"))
    page.wait_for_function(
        "shown => parseFloat(document.querySelector('.facts .elapsed .fact').textContent) > shown + 0.5",
        arg=float(elapsed.inner_text().split()[0]),
    )


def test_bars_stand_on_the_time_line_where_they_belong_with_the_share_that_is_done(page: Page) -> None:
    open_panel(page, flow(3))
    load, clean = [0, "Completed", 0, 2, 1, None, ""], [1, "Completed", 2, 8, 1, None, ""]
    feed(page, load, clean, [2, "Running", 6, None, 1, 0.25, ""], now=8, ended=True)  # so time stands still
    wait_until_painted(page)
    page.wait_for_function("document.getAnimations().every(one => one.effect.getTiming().iterations === Infinity)")
    found = page.evaluate(PLACES)
    assert found["bars"] == [[0, 25], [25, 75], [75, 25]]
    assert found["shares"] == [0, 0, 25]
    assert found["axis"] == [["2 s", 25], ["4 s", 50], ["6 s", 75]]


def test_edges_that_nobody_drew_are_dashed(page: Page) -> None:
    tasks = [
        Task("load", len, (), keys=Keys(sets=("rows",))),
        Task("clean", len, keys=Keys(("rows",))),
        Task("report", len, ("clean",)),
    ]
    open_panel(page, Workflow("flow", tasks))
    dashes = page.locator(".edge").evaluate_all("all => all.map(one => getComputedStyle(one).strokeDasharray)")
    assert sorted(dashes) == ["5px, 4px", "none"]


def test_of_many_tasks_each_message_holds_only_some(page: Page) -> None:
    open_panel(page, flow(400))
    feed(page, [5, "Running", 0, None, 1, None, ""], now=1)
    feed(page, [6, "Running", 0, None, 1, None, ""], now=2)
    (waiting, _), (running, those) = sorted(dots(page).items(), key=lambda one: -len(one[1]))
    assert those == {"t5", "t6"}
    assert waiting != running


def test_dots_follow_the_theme(page: Page) -> None:
    open_panel(page, flow(200))
    feed(page, *([n, "Completed", 0, 1, 1, None, ""] for n in range(200)), now=1)
    (light,) = dots(page)
    page.evaluate(
        "() => document.querySelector('.styles').addEventListener('transitionend', () => (window.themed = 1))"
    )
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("window.themed")
    (dark,) = dots(page)
    assert sum(dark) > sum(light)


def test_a_dot_lights_up_its_row_says_what_it_is_and_opens_its_task(page: Page) -> None:
    open_panel(page, flow(200))
    feed(page, [3, "Failed", 0, 1, 1, None, "ValueError: no"], now=1)
    canvas = page.locator(".graph canvas")
    at = page.evaluate("""() => {
        const [left, top, wide, high] = window.model.get("graph").tasks[3].box;
        const scale = document.querySelector(".graph canvas").clientWidth / window.model.get("graph").width;
        return {x: (left + wide / 2) * scale, y: (top + high / 2) * scale};
    }""")
    canvas.hover(position=at)
    expect(page.locator(".row[data-lit]")).to_have_attribute("data-task-id", "t3")
    expect(canvas).to_have_attribute("title", "t3 · Failed · ValueError: no")
    canvas.click(position=at)
    expect(page.locator(".chosen .title")).to_have_text("t3")
    page.mouse.move(0, 0)
    expect(page.locator("[data-lit]")).to_have_count(0)


def test_nothing_moves_when_states_change(page: Page) -> None:
    open_panel(page, flow(5))
    places = """[...document.querySelectorAll("header, .line, .bar, .graph, .row, .track, .card")].map(
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


in_every_front_end = pytest.mark.parametrize("in_jupyter", [True, False])


@in_every_front_end
def test_cancel_tells_the_kernel_and_waits_for_its_answer(page: Page, *, in_jupyter: bool) -> None:
    open_panel(page, flow(1), in_jupyter=in_jupyter)
    stop_time(page)
    page.get_by_role("button", name="Cancel").click()
    assert page.evaluate("window.sent") == [{"type": "cancel"}]
    page.clock.run_for(100)
    expect(page.get_by_role("button", name="Cancelling…")).to_be_disabled()
    feed(page, cancelling=True)
    page.clock.run_for(2_000)
    assert page.evaluate("window.interrupts") == 0
    expect(page.locator(".notice")).to_be_hidden()


def test_cancel_interrupts_a_kernel_that_does_not_answer(page: Page) -> None:
    open_panel(page, flow(1))
    stop_time(page)
    page.get_by_role("button", name="Cancel").click()
    page.clock.run_for(900)
    assert page.evaluate("window.interrupts") == 0
    page.clock.run_for(200)
    assert page.evaluate("window.interrupts") == 1
    expect(page.locator(".notice")).to_be_hidden()


def test_where_the_page_can_not_interrupt_it_says_who_can_until_the_kernel_answers(page: Page) -> None:
    open_panel(page, flow(1), in_jupyter=False)
    stop_time(page)
    page.get_by_role("button", name="Cancel").click()
    page.clock.run_for(1_100)
    expect(page.locator(".notice")).to_contain_text("Interrupt button cancels the run")
    feed(page, cancelling=True)
    page.clock.run_for(100)
    expect(page.locator(".notice")).to_be_hidden()


def test_a_task_that_is_pointed_at_lights_up_in_list_and_graph(page: Page) -> None:
    open_panel(page, flow(3))
    page.locator(".row").first.hover()
    lit = page.locator("[data-lit]")
    assert sorted(lit.evaluate_all("all => all.map(e => e.classList[0])")) == ["edge", "row", "task"]


@in_every_front_end
def test_a_closed_view_and_a_closed_model_listen_no_more(page: Page, *, in_jupyter: bool) -> None:
    open_panel(page, flow(1), in_jupyter=in_jupyter)
    page.evaluate("window.leave()")
    expect(page.locator(".cloaca-panel")).to_have_count(0)
    assert page.evaluate("window.heard()") > 0  # the model's own
    page.evaluate("window.close()")
    assert page.evaluate("[window.heard(), window.cloacaPanels.size]") == [0, 0]


# --- the chosen task ---

LOG: Final = {"task": 1, "note": "", "where": "", "traceback": "", "sets": ["x"], "known": 0, "first": 0}
FAILED: Final = {
    "note": "ValueError: no",
    "where": "Cell In[3], line 2, in t",
    "traceback": "Traceback\nValueError: no\n",
}


def choose(page: Page, *texts: str, **said: object) -> None:
    """Say what the kernel would about the task that was chosen."""
    lines = [[1, "stderr" if "!" in text else "stdout", text] for text in texts]
    page.evaluate("message => window.choose(message)", {**LOG, "lines": lines, **said})


def test_a_chosen_task_shows_its_log_as_it_grows(page: Page) -> None:
    open_panel(page, flow(3))
    page.locator(".row").nth(1).click()
    assert page.evaluate("window.sent") == [{"type": "choose", "task": 1}]
    expect(page.locator(".chosen .title")).to_have_text(NASTY)
    expect(page.locator(".hint")).to_contain_text("Asking the kernel")
    choose(page, "one", "<b>two</b>!")
    choose(page, "three", known=2, first=2)
    expect(page.locator(".lines > div")).to_have_text(["one", "<b>two</b>!", "three"])
    expect(page.locator(".lines > .stderr")).to_have_count(1)
    expect(page.locator(".hint")).to_be_hidden()
    expect(page.locator(".facts")).to_contain_text("Sets")
    choose(page, "late", known=3, first=900, sets=[])
    expect(page.locator(".hint")).to_contain_text("earlier lines: %cloaca_logs")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".chosen")).to_be_hidden()
    assert page.evaluate("window.sent.at(-1)") == {"type": "choose", "task": None}


def test_the_kernel_opens_the_task_that_failed_unless_the_reader_looks_at_another(page: Page) -> None:
    open_panel(page, flow(3))
    choose(page, "one", **FAILED)
    expect(page.locator(".chosen .trace")).to_have_text("Traceback\nValueError: no\n")
    expect(page.locator(".chosen .cause > div")).to_have_text(["ValueError: no", "Cell In[3], line 2, in t"])
    expect(page.locator(".row[aria-selected=true]")).to_have_attribute("data-number", "1")
    page.locator(".row").first.click()
    choose(page, "one", "two", **FAILED)
    expect(page.locator(".chosen .title")).to_have_text("load")
    expect(page.locator(".chosen .trace")).to_be_hidden()
    expect(page.locator(".chosen .cause")).to_be_hidden()


def test_of_a_failed_task_the_message_is_seen_whole_above_a_long_traceback(page: Page) -> None:
    page.set_viewport_size({"width": 960, "height": 900})
    open_panel(page, flow(3))
    frames = "".join(f"  library.py, line {n}, in call\n" for n in range(40))
    choose(page, *["line"] * 30, **{**FAILED, "traceback": f"Traceback\n{frames}ValueError: no\n"})
    tops = []
    for part in (".line", ".cause", ".facts", ".trace", ".log"):
        box = page.locator(f".chosen > {part}").bounding_box()
        assert box is not None
        tops.append(box["y"])
        if part in {".line", ".cause", ".facts"}:  # neither cut nor squeezed
            assert page.locator(f".chosen > {part}").evaluate("one => one.scrollHeight <= one.clientHeight")
    assert tops == sorted(tops)
    expect(page.locator(".chosen .log")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("wide", [780, 932, 1180])
def test_a_note_has_the_room_that_short_names_leave(page: Page, wide: int) -> None:
    page.set_viewport_size({"width": wide, "height": 700})
    open_panel(page, Workflow("flow", [Task("load", len), Task("clean", len)]))
    said = "executed, as task body was edited"
    feed(page, [0, "Completed", 0, 1, 1, None, said], now=2)
    note = page.locator(".row .note").first
    expect(note).to_be_visible()
    assert note.evaluate("one => one.scrollWidth <= one.clientWidth")


# --- another run ---


def test_conflicts_are_told_below_the_header(page: Page) -> None:
    open_panel(page, flow(3))
    expect(page.locator(".notice")).to_be_hidden()
    said = [f"'rate' was set differently by load, {NASTY}; task 't2' has that of {NASTY}.", "another"]
    feed(page, status="Completed", ended=True, conflicts=said)
    expect(page.locator(".notice")).to_have_text("\n".join(said))
    page.evaluate("window.say({type: 'answer', why: 'A cell is being executed.'})")
    expect(page.locator(".notice")).to_have_text("\n".join(["A cell is being executed.", *said]))
    assert page.title() != "hit"


def test_resume_asks_the_kernel_once_and_shows_why_not(page: Page) -> None:
    open_panel(page, flow(2))
    resume = page.get_by_role("button", name="Resume")
    expect(resume).to_be_hidden()
    feed(page, [0, "Failed", 0, 1, 1, None, "ValueError: no"], now=1, status="Failed", ended=True)
    resume.click()
    expect(page.locator(".resume")).to_have_attribute("aria-disabled", "true")
    page.locator(".resume").click(force=True)
    assert page.evaluate("window.sent") == [{"type": "again", "task": None}]
    page.evaluate("window.say({type: 'answer', why: 'A cell is being executed.'})")
    expect(page.locator(".notice")).to_have_text("A cell is being executed.")
    expect(resume).to_have_attribute("aria-disabled", "false")


NEXT: Final = "01a1fd70-8038-764f-8bfc-518d739dbdbf"


@pytest.mark.parametrize(
    ("task", "told"), [(None, "Run 739dbdbf goes on with this one."), (1, f"Run 739dbdbf executes {NASTY} again.")]
)
def test_a_run_that_another_goes_on_with_says_so_and_its_resume_steps_back(
    page: Page, task: int | None, told: str
) -> None:
    open_panel(page, flow(2))
    feed(page, [0, "Failed", 0, 1, 1, None, "ValueError: no"], now=1, status="Failed", ended=True)
    colour = "button => getComputedStyle(button).backgroundColor"
    expect(page.locator(".next")).to_be_hidden()
    before = page.locator(".resume").evaluate(colour)
    feed(page, next={"run": NEXT, "task": task})
    expect(page.locator(".next")).to_have_text(told)
    assert page.locator(".resume").evaluate(colour) != before
    expect(page.get_by_role("button", name="Resume")).to_have_attribute("aria-disabled", "false")
    expect(page.get_by_role("status")).to_contain_text(told)
    assert page.title() == ""


COMES: Final = """graph => {
    window.scrolls = [];
    Element.prototype.scrollIntoView = function (how) { window.scrolls.push([this.dataset.run, how.behavior]); };
    const model = {...window.model, get: name => name === "graph" ? graph : window.model.get(name)};
    window.page.initialize({model});
    const place = document.createElement("div");
    place.dataset.cloacaPanel = graph.key;
    document.body.append(place);
}"""


@pytest.mark.parametrize(
    ("clicks", "why", "motion", "behavior"),
    [
        (True, "", "no-preference", "smooth"),
        (True, "", "reduce", "auto"),
        (True, "A cell is being executed.", "no-preference", None),
        (False, "", "no-preference", None),
    ],
)
def test_only_a_run_that_a_click_here_has_started_is_brought_into_sight(
    page: Page, *, clicks: bool, why: str, motion: Any, behavior: str | None
) -> None:
    page.emulate_media(reduced_motion=motion)
    panel = open_panel(page, flow(2))
    feed(page, now=1, status="Failed", ended=True)
    if clicks:
        page.get_by_role("button", name="Resume").click()
    page.evaluate("why => window.say({type: 'answer', why})", why)
    graph = panel._graph()
    page.evaluate(COMES, {**graph, "key": "next", "after": graph["key"]})
    expect(page.locator(".cloaca-panel")).to_have_count(2)
    wait_until_painted(page)
    assert page.evaluate("window.scrolls") == ([["next", behavior]] if behavior else [])
    page.mouse.wheel(0, 1)  # the reader moves on
    page.evaluate("() => { document.querySelector('[data-run=next]').style.minHeight = '2000px'; }")
    wait_until_painted(page)
    assert len(page.evaluate("window.scrolls")) == bool(behavior)


def test_rerun_is_there_for_one_task_when_the_run_is_over(page: Page) -> None:
    open_panel(page, flow(2))
    page.locator(".row").first.click()
    rerun = page.get_by_role("button", name="Re-run")
    expect(rerun).to_have_attribute("title", "The run is still going on.")
    rerun.click(force=True)
    feed(page, [0, "Completed", 0, 1, 1, None, ""], now=1, status="Completed", ended=True)
    rerun.click()
    assert page.evaluate("window.sent.slice(1)") == [{"type": "again", "task": 0}]


def test_without_a_kernel_nothing_is_started_and_a_run_is_shown_as_interrupted(page: Page) -> None:
    open_panel(page, flow(2))
    feed(page, [0, "Running", 0, None, 1, None, ""], now=1, status="Running")
    page.evaluate("window.die()")
    expect(page.locator(".cloaca-panel")).to_have_attribute("data-run-status", "Interrupted")
    expect(page.locator(".resume")).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".notice")).to_contain_text("%cloaca_run --resume")
    assert task_states(page, ".row") == {"load": "Interrupted", NASTY: "Waiting"}
    page.wait_for_function("document.getAnimations().length === 0")  # a colour that changes takes a moment


@pytest.mark.parametrize("status", ["Completed", "Failed", "Cancelled"])
def test_without_a_kernel_a_run_that_was_over_is_gone_on_with_only_if_something_is_to_do(
    page: Page, status: str
) -> None:
    open_panel(page, flow(2))
    feed(page, now=1, status=status, ended=True, run="01a1fd70-8038-764f-8bfc-518d739dbdbf")
    page.evaluate("window.die()")
    expect(page.locator(".cloaca-panel")).to_have_attribute("data-run-status", status)
    expect(page.locator(".resume")).to_have_attribute("aria-disabled", "true")
    if status == "Completed":
        expect(page.locator(".notice")).to_be_hidden()
        expect(page.locator(".resume")).to_have_attribute("title", re.compile("%cloaca_run in a cell starts another"))
    else:
        expect(page.locator(".notice")).to_contain_text("%cloaca_run --resume 739dbdbf in a cell goes on with it")


@in_every_front_end
def test_a_page_that_was_loaded_again_says_where_the_output_is_that_its_cell_lacks(
    page: Page, *, in_jupyter: bool
) -> None:
    panel = open_panel(page, flow(2), in_jupyter=in_jupyter)
    feed(page, now=1, run="01a1fd70-8038-764f-8bfc-518d739dbdbf", unseen=3)
    expect(page.locator(".notice")).to_be_hidden()  # this page has executed the cell
    page.evaluate("() => window.close()")
    page.evaluate(
        """graph => {
            window.model.set("graph", graph);
            window.model.set("state", {...window.model.get("state"), late: true});
            document.body.innerHTML = `<div data-cloaca-panel="${graph.key}"></div>`; // there before the panel is
            window.page.initialize({model: window.model});
        }""",
        {**panel._graph(), "key": "loaded again"},
    )
    expect(page.locator(".cloaca-live .cloaca-panel")).to_have_count(1)
    feed(page, now=2)
    told = "3 lines printed since this page was loaded again can't be shown below the cell"
    if in_jupyter:
        expect(page.locator(".notice")).to_contain_text(told)
        expect(page.locator(".notice")).to_contain_text(
            "choose a task to read its log, or use %cloaca_logs --run 739dbdbf"
        )
        page.evaluate("window.die()")  # no kernel answers who chooses a task now
        expect(page.locator(".notice")).to_contain_text(f"{told}: use %cloaca_logs --run 739dbdbf")
    else:  # the front end shows the output by itself
        expect(page.locator(".notice")).to_be_hidden()


@pytest.mark.parametrize("session", ["one", "another"])
def test_a_kernel_that_another_page_has_restarted_is_gone_here_too(page: Page, session: str) -> None:
    panel = open_panel(page, flow(2), session="one")
    feed(page, now=1, status="Failed", ended=True)
    page.evaluate("window.tellOnIopub({header: {msg_type: 'stream', session: 'of the server'}})")
    page.evaluate("session => window.tellOnIopub({header: {msg_type: 'status', session}})", session)
    wait_until_painted(page)
    assert panel._graph()["session"] == "one"
    is_gone = session == "another"
    expect(page.locator(".resume")).to_have_attribute("aria-disabled", str(is_gone).lower())
    expect(page.locator(".notice")).to_have_count(1)
    assert ("kernel of this run is gone" in page.locator(".notice").inner_text()) is is_gone
    page.evaluate("() => window.close()")
    assert page.evaluate("window.slots.size") == 0


def test_an_announced_model_takes_the_place_of_the_one_before(page: Page) -> None:
    open_panel(page, flow(2))
    page.locator(".row").first.click()
    before = page.evaluate("window.heard()")
    page.evaluate("void window.page.initialize({model: {...window.model}})")
    assert page.evaluate("window.heard()") == before
    expect(page.locator(".cloaca-panel")).to_have_count(1)
    expect(page.locator(".chosen")).to_be_visible()


def test_the_panel_stands_over_the_static_picture_while_there_is_a_kernel(page: Page) -> None:
    open_panel(page, flow(2))
    page.evaluate("""() => {
        const {key} = window.model.get("graph");
        const still = `<div data-cloaca-panel="${key}"><p class=still>picture</p></div>`;
        document.body.insertAdjacentHTML("beforeend", still);
    }""")
    expect(page.locator(".cloaca-live .cloaca-panel")).to_be_visible()
    expect(page.locator(".still")).to_be_hidden()
    page.evaluate("window.close()")
    expect(page.locator(".cloaca-live")).to_have_count(0)
    expect(page.locator(".still")).to_be_visible()


WIDGET: Final = "application/vnd.jupyter.widget-view+json"


def displayed(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


NOT_OURS: Final = (
    {"output_type": "stream", "name": "stdout", "text": "reading"},
    displayed({WIDGET: {}, "text/plain": "Panel of flow (another)"}),
    displayed({"text/html": '<div data-cloaca-panel="another" data-run-status="Running">'}),
)


@in_every_front_end
def test_the_page_keeps_the_picture_where_the_kernel_can_not_any_more(page: Page, *, in_jupyter: bool) -> None:
    panel = open_panel(page, flow(2), in_jupyter=in_jupyter)
    stop_time(page)
    live = displayed({WIDGET: {}, "text/plain": repr(panel.prepare())})
    page.evaluate("outputs => window.outputs.push(...outputs)", [*NOT_OURS, live])
    for status, ended in (("Running", False), ("Completed", True)):
        page.evaluate("() => { window.sent = []; window.page.initialize({model: {...window.model}}); }")
        feed(page, status=status, ended=ended)
        page.clock.run_for(900)
        assert page.evaluate("window.sent") == []  # the kernel may do it yet
        page.clock.run_for(200)
        assert ({"type": "picture"} in page.evaluate("window.sent")) is in_jupyter
        page.evaluate("message => window.say(message)", {"type": "picture", "data": panel._still()})
        assert page.evaluate("window.outputs") == [*NOT_OURS, displayed(panel._still()) if in_jupyter else live]
        panel._facts.fold([RunFinished(1.0, "r", Status.COMPLETED, {}, "")])
    assert "<img" in panel._still()["text/html"]


def test_a_view_that_fails_is_not_tried_again_for_ever(page: Page) -> None:
    panel = open_panel(page, flow(2))
    page.evaluate(
        """graph => {
            window.tried = 0;
            const looks = new Proxy(graph.looks, {get: () => { window.tried += 1; throw new Error("no such look"); }});
            document.body.innerHTML = '<div data-cloaca-panel="failing"></div>';
            window.model.set("graph", {...graph, key: "failing", looks});
            try { window.page.initialize({model: window.model}); } catch { document.body.append("added"); }
        }""",
        panel._graph(),
    )
    wait_until_painted(page)
    assert page.evaluate("window.tried") == 1


def test_the_page_changes_the_line_below_a_run_that_is_over(page: Page) -> None:
    open_panel(page, flow(2))
    stop_time(page)
    of_another, of_this = (displayed({"text/html": f'<div data-cloaca-going="{run}">'}) for run in ("another", "r"))
    page.evaluate("outputs => window.outputs.push(...outputs)", [of_another, of_this])
    feed(page, run="r", now=1)
    page.clock.run_for(1_100)
    assert page.evaluate("window.sent") == []
    feed(page, status="Completed", ended=True)
    page.clock.run_for(1_100)
    assert page.evaluate("window.sent") == [{"type": "picture"}]
    line = {"text/html": "completed", "text/plain": "completed"}
    page.evaluate("message => window.say(message)", {"type": "picture", "data": {}, "line": line})
    assert page.evaluate("window.outputs") == [of_another, displayed(line)]


def test_a_run_that_the_kernel_displays_nowhere_is_kept_once_below_the_one_it_goes_on_with(page: Page) -> None:
    stop_time(page)
    panel = open_panel(page, flow(2), after="another")
    page.evaluate("outputs => window.outputs.push(...outputs)", NOT_OURS)
    page.clock.run_for(5_000)
    feed(page, run="r", now=1)
    page.clock.run_for(700)
    assert page.evaluate("window.sent") == []  # it has just begun: its display may be on its way
    page.clock.run_for(800)
    assert page.evaluate("window.sent") == [{"type": "picture"}]
    for _ in range(2):
        page.evaluate("message => window.say(message)", {"type": "picture", "data": panel._still()})
    assert page.evaluate("window.outputs") == [*NOT_OURS, displayed(panel._still())]


def test_the_reader_goes_on_in_a_view_that_takes_the_place_of_another(page: Page) -> None:
    open_panel(page, Workflow("many", [Task(f"part_{n}", len) for n in range(1000)]))
    page.evaluate("() => { window.leave(); document.body.append(document.createElement('main')); }")
    display = """() => {
        const place = Object.assign(document.createElement("div"), {className: "place"});
        place.dataset.cloacaPanel = window.model.get("graph").key;
        document.querySelector("main").replaceChildren(place);
    }"""
    page.evaluate(display)
    page.locator(".list").hover()
    page.mouse.wheel(0, 2800)
    expect(page.locator('[data-task-id="part_100"]')).to_be_visible()
    page.evaluate(display)
    expect(page.locator('[data-task-id="part_100"]')).to_be_visible()
    assert page.locator(".list").evaluate("list => list.scrollTop") == 2800
    page.locator("[type=search]").focus()
    page.keyboard.type("part_9")
    page.evaluate(display)
    expect(page.locator("[type=search]")).to_be_focused()
    page.keyboard.type("9")
    expect(page.locator(".found")).to_have_text("11 of 1,000 tasks")
    page.locator("[type=search]").blur()
    page.evaluate(display)
    assert page.evaluate("() => document.activeElement === document.body")


def test_a_name_from_right_to_left_is_cut_at_its_end(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 600})
    open_panel(page, Workflow("flow", [Task("مهمة التحميل من قاعدة البيانات", len)]))
    name = page.locator(".row .name").evaluate("""name => {
        const first = document.createRange();
        first.setStart(name.firstChild, 0);
        first.setEnd(name.firstChild, 1);
        return {
            letter: first.getBoundingClientRect().right,
            edge: name.getBoundingClientRect().right,
            isCut: name.scrollWidth > name.clientWidth,
        };
    }""")
    assert name["isCut"]
    assert name["letter"] <= name["edge"] + 1


# --- search, filter, keys ---


def shown(page: Page) -> list[str]:
    wait_until_painted(page)
    found: list[str] = page.locator(".row").evaluate_all(
        "rows => rows.sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map(row => row.dataset.taskId)"
    )
    return found


def test_a_thousand_tasks_are_filtered_by_text_and_state_and_few_rows_exist(page: Page) -> None:
    open_panel(page, flow(1000))
    feed(page, *([n, "Failed", 0, 1, 1, None, "KeyError: 'x'"] for n in (70, 77, 500)), now=1)
    assert page.locator(".row").count() < 50
    page.locator('.chip[data-state="Failed"]').click()
    assert shown(page) == ["t70", "t77", "t500"]
    expect(page.locator(".found")).to_have_text("3 of 1,000 tasks")
    assert {"t70", "t77", "t500"} in dots(page).values()  # the others have stepped back
    page.get_by_label("Filter tasks by text").fill("T7")
    assert shown(page) == ["t70", "t77"]
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) > 10
    page.get_by_label("Filter tasks by text").fill("keyerror")
    assert shown(page) == ["t70", "t77", "t500"]
    page.get_by_label("Filter tasks by text").fill("nothing")
    expect(page.locator(".empty")).to_be_visible()


def test_the_list_is_gone_through_by_keys(page: Page) -> None:
    open_panel(page, flow(40))
    page.locator(".list").focus()
    chosen = page.locator(".chosen .title")
    for key, expected in [
        ("ArrowDown", None),
        ("ArrowDown", None),
        ("Enter", NASTY),
        ("ArrowUp", "load"),
        ("End", "t39"),
    ]:
        page.keyboard.press(key)
        expect(chosen).to_have_text(expected) if expected else expect(chosen).to_be_hidden()
    expect(page.locator(".row[aria-selected=true]")).to_be_in_viewport()
    active = page.locator(".list").get_attribute("aria-activedescendant")
    assert page.locator(f"[id='{active}']").get_attribute("data-task-id") == "t39"
    page.keyboard.press("Escape")
    expect(chosen).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("t2/")
    assert shown(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_label("Filter tasks by text")).to_have_value("")


def test_keys_that_the_panel_takes_never_reach_the_notebook_and_others_do(page: Page) -> None:
    open_panel(page, flow(3))
    page.evaluate(
        "() => { window.keys = []; document.addEventListener('keydown', e => window.keys.push(e.key), true); }"
    )
    page.locator(".list").focus()
    for key in ("ArrowDown", "Enter", "x", "Escape", "Control+ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate("window.keys") == ["x", "Control", "ArrowDown"]


# --- what a task usually takes ---


def test_elapsed_stands_against_what_is_usual(page: Page) -> None:
    open_panel(page, flow(2))
    page.evaluate("window.know({0: 1, 1: 60})")
    feed(page, [0, "Running", 0, None, 1, None, ""], [1, "Running", 0, None, 1, None, ""], now=5)
    expect(page.locator(".row .usual")).to_have_text(["1.0 s", "1 m 00 s"])
    expect(page.locator(".row .time[data-slow]")).to_have_count(1)
    expect(page.locator(".row .ghost").nth(1)).to_be_visible()


# --- for every reader ---


def test_roles_and_names_say_what_is_seen(page: Page) -> None:
    open_panel(page, flow(2))
    feed(page, [0, "Failed", 0, 1.5, 1, None, "ValueError: no"], now=2, status="Failed", ended=True)
    option = page.get_by_role("option", name="load, Failed, 1.5 s, ValueError: no")
    expect(option).to_have_attribute("aria-setsize", "2")
    expect(page.get_by_role("status")).to_have_text("Failed. 1 of 2 tasks failed.")
    live = page.locator("[aria-live], [role=status], [role=alert], [role=log]").evaluate_all(
        "all => all.filter(e => e.getAttribute('aria-live') !== 'off').map(e => e.className)"
    )
    assert live == ["said"]


def test_who_wants_no_motion_sees_none(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_panel(page, flow(2))
    feed(page, [0, "Running", 0, None, 1, None, ""], now=1)
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    open_panel(page, flow(3))
    feed(page, [0, "Failed", 0, 1, 2, None, "ValueError: no"], [1, "Retrying", 1, None, 1, None, "OSError"], now=2)
    contrasts = page.evaluate(CONTRASTS)
    assert {text: round(ratio, 1) for text, ratio in contrasts.items() if ratio < 4.5} == {}
    assert len(contrasts) > 8


def test_bars_can_be_seen_where_the_system_forces_its_colours(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    open_panel(page, flow(2))
    feed(page, [0, "Completed", 0, 1, 1, None, ""], [1, "Failed", 1, 2, 1, None, ""], now=2)
    wait_until_painted(page)
    for kind in (".run", ".segment:is([data-state=Completed], [data-state=Failed])"):
        colours = page.locator(kind).evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")
        assert len(set(colours)) == 2, colours


# The contrast of each text with the surface of the panel, as WCAG reckons it.
CONTRASTS: Final = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const light = colour => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const part = value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(value => part(value / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const surface = light(getComputedStyle(document.querySelector(".cloaca-panel")).backgroundColor);
    const texts = [...document.querySelectorAll(".cloaca-panel :is(span, strong, button, text)")].filter(
        element => element.textContent && !element.childElementCount && element.checkVisibility()
    );
    return Object.fromEntries(texts.map(element => {
        const {color, fill} = getComputedStyle(element);
        const ink = light(element.tagName === "text" ? fill : color);
        return [element.textContent, (Math.max(ink, surface) + 0.05) / (Math.min(ink, surface) + 0.05)];
    }));
}"""
