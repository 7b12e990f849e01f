"""The panel in a real JupyterLab and Chromium: how soon a click counts, how smooth 1,000 tasks are, what it costs."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
from figure import Figure
from fresh import Answer, answer, ask
from jupyter_client.manager import run_kernel

__all__ = ["TITLE", "figures"]

TITLE = "The panel, in JupyterLab and a headless Chromium on the same machine"
CLICK, FRAMES, COST = 1_000.0, 30.0, 1.05  # ms; frames a second; times a run without a panel
BROWSER = Path(__file__).resolve().parents[1] / "tests" / "browser"  # what starts server and browser for the tests, too

BEGIN = """%load_ext cloaca_nb
import statistics, threading, time
import cloaca_nb as cloaca

def sleep(context):
    time.sleep(0.02)

def compute(context):
    until = time.thread_time() + 0.002
    while time.thread_time() < until:
        pass

def wait(context):
    threading.Event().wait()

for name, body, count in (("sleeping", sleep, 1000), ("computing", compute, 1000), ("waiting", wait, 3)):
    with cloaca.WorkflowBuilder(name):
        for n in range(count):
            cloaca.task(id=f"part_{n:04d}", dependencies=[f"part_{n - 50:04d}"] if n >= 50 else [])(body)
"""
WAIT = "%cloaca_run waiting"
SLEEP = "%cloaca_run sleeping"
COMPARE = """took = {"": [], " --no-panel": []}
for turn in range(ROUNDS + 1):
    for how, times in took.items():
        times.append(get_ipython().run_line_magic("cloaca_run", "computing" + how).duration)
print(*(statistics.median(times[1:]) for times in took.values()))"""

# Clicks Cancel, and gives the milliseconds until the panel says Cancelled.
CLICKED = """() => new Promise((resolve, reject) => {
    const panel = document.querySelector('.cloaca-live .cloaca-panel[data-run-status="Running"]');
    const over = `[data-run="${panel.dataset.run}"][data-run-status="Cancelled"]`;  // maybe another view of the run
    const began = performance.now();
    new MutationObserver((_, observer) => {
        if (!document.querySelector(over)) return;
        observer.disconnect();
        resolve(performance.now() - began);
    }).observe(document.body, {attributes: true, childList: true, subtree: true});
    setTimeout(reject, 60_000, new Error("the run wasn't cancelled"));
    panel.querySelector(".cancel").click();
})"""
# Counts frames from the first task that is over to the last.
COUNTED = """() => new Promise(resolve => {
    let frames = 0, began = null;
    const look = now => {
        const panel = [...document.querySelectorAll(".cloaca-panel")].at(-1);
        const over = Number(panel?.querySelector(".bar")?.ariaValueNow ?? 0);
        if (over && began === null) began = now;
        else if (began !== null) frames += 1;
        if (over === 1000) resolve([1000 * frames / (now - began), now - began]);
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure all in one notebook, and the cost in a kernel without a page as well."""
    found = ask(__file__, rounds=1 if quick else min(rounds, 5))
    length = f"over {found['seconds']:.1f} s"
    return [
        Figure(what="a click on Cancel to Cancelled, cell blocked", value=found["click"], unit="ms", at_most=CLICK),
        Figure(what="1,000 tasks change", value=found["frames"], unit="frames/s", at_least=FRAMES, note=length),
        _cost("1,000 tasks of 2 ms, panel live, against none", found, "kernel", COST),
        _cost("as above, Lab, its server and Chromium on the same cores", found, "page"),
    ]


def _cost(what: str, found: Answer, where: str, at_most: float | None = None) -> Figure:
    """Compare the medians of runs with and without a panel."""
    shown, hidden = found[f"{where}, shown"], found[f"{where}, hidden"]
    note = f"{shown:.2f} s with, {hidden:.2f} s without"
    return Figure(what=what, value=shown / hidden, unit="times", at_most=at_most, note=note)


def measure(rounds: int) -> Answer:
    """Return milliseconds from click to Cancelled, frames a second, and seconds of runs with a panel and without."""
    with _notebook(BEGIN, WAIT, SLEEP, COMPARE.replace("ROUNDS", str(rounds))) as notebook:
        page = notebook.page
        first = BEGIN.partition("\n")[0]
        notebook.run(first)
        notebook.wait_until_run(first)
        clicks = []
        for _ in range(rounds):
            notebook.run(WAIT)
            page.locator('.cloaca-live .row[data-state="Running"]').first.wait_for()
            clicks.append(page.evaluate(CLICKED))
            notebook.wait_until_run(WAIT)
        notebook.run(SLEEP)
        frames, length = page.evaluate(COUNTED)
        notebook.wait_until_run(SLEEP)
        compare = COMPARE.partition("\n")[0]
        notebook.run(compare)
        notebook.wait_until_run(compare)
        (last,) = [one["text"] for one in notebook.outputs(compare) if one.get("name") == "stdout"]
    return {
        "click": median(clicks),
        "frames": frames,
        "seconds": length / 1_000,
        **_without_a_page(rounds),
        **_seconds("page", last),
    }


def _without_a_page(rounds: int) -> Answer:
    """Return the seconds of runs with and without a panel whose page is on another machine, or closed."""
    said: list[str] = []
    with run_kernel() as client:
        execute: Any = client.execute_interactive  # type: ignore[attr-defined]  # made at run time
        for code in (BEGIN, COMPARE.replace("ROUNDS", str(rounds))):
            execute(code, output_hook=lambda one: said.append(one["content"].get("text", "")))
    return _seconds("kernel", "".join(said))


def _seconds(where: str, text: str) -> Answer:
    shown, hidden = map(float, text.split())
    return {f"{where}, shown": shown, f"{where}, hidden": hidden}


@contextmanager
def _notebook(*cells: str) -> Iterator[Any]:
    """Open a notebook in JupyterLab, as the browser tests do."""
    sys.path.insert(0, str(BROWSER))
    import conftest  # noqa: PLC0415 - the browser tests' own

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with tempfile.TemporaryDirectory() as folder, conftest.serving(Path(folder)) as lab, conftest.browsing() as browser:
        nbformat.write(book, lab.folder / "bench.ipynb")
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(120_000)
        yield conftest.NotebookPage(page, lab.address("bench.ipynb"))


if __name__ == "__main__":
    answer(measure)
