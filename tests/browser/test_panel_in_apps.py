"""The panel in JupyterLab and in Notebook 7, as a person uses it. Tasks wait for files, so nothing depends on time."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

PATIENCE_MS: Final = 60_000
expect.set_options(timeout=PATIENCE_MS)

BEGIN: Final = """%load_ext cloaca_nb
import os, time
def gate(name):
    while not os.path.exists(name):
        time.sleep(0.02)"""
LOAD: Final = "%%cloaca_task load\nprint('reading')\ngate('go')\nrows = [1, 2, 3]"
CLEAN: Final = "%%cloaca_task clean\nprint('cleaning', len(rows), 'rows')\ngood = [row for row in rows if row > 1]"
SORT: Final = "%%cloaca_task sort\ngate('on')\norder = sorted(rows)"
REPORT: Final = "%%cloaca_task report\nprint('dividing')\ntotal = sum(good) / 0"
MENDED: Final = "%%cloaca_task report\nprint('adding')\ntotal = sum(good)"
MANY: Final = """%load_ext cloaca_nb
import cloaca_nb as cloaca
def body(context):
    pass
def fail(context):
    raise ValueError("no rows")
with cloaca.WorkflowBuilder("many"):
    for n in range(1000):
        cloaca.task(id=f"part_{n}")(fail if n in (99, 990) else body)"""
RUN: Final = "%cloaca_run"
BACKGROUND: Final = "%cloaca_run --background"
NO_REMEDY: Final = """import cloaca_nb.notebook.panel.widget as widget
widget._answer_where_asked = lambda _: None"""


class Opened:
    """A notebook in an app, whose tasks can be let through.

    Attributes:
        notebook: the page.
        folder: where it lies, and its tasks wait for files.
        keep: keeps a picture of something, if pictures are wanted.
    """

    def __init__(self, notebook: Any, folder: Path, keep: Callable[[Locator, str], None]) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.folder = folder
        self.keep = keep

    def let_through(self, name: str = "go") -> None:
        (self.folder / name).touch()

    def panel(self, place: int = 0) -> Locator:
        """Return the panel on display, the first from above."""
        return self.page.locator(".cloaca-panel").nth(place)

    def picture(self, scene: str) -> None:
        """Keep a picture of the cell that shows a panel, or the image of one."""
        shown = self.page.locator('.cloaca-panel, img[src^="data:image/svg+xml"]')
        self.keep(self.page.locator(".jp-CodeCell", has=shown), scene)

    def expect_live(self) -> None:
        """Wait until a task is seen to run, in the place that is saved with the notebook."""
        expect(self.page.locator('.cloaca-live .row[data-state="Running"]')).to_have_count(1)

    def expect_kept(self, runs: int = 1) -> None:
        """Wait until the notebook holds the pictures of runs that have completed, below their panels, and save it."""
        expect(self.page.locator('[data-cloaca-panel][data-run-status="Completed"] img')).to_have_count(runs)
        kept = json.dumps(self.saved().cells)
        assert kept.count("data:image/svg+xml") == runs
        assert "kept how it ended" not in kept

    def saved(self) -> nbformat.NotebookNode:
        """Save the notebook, and return what is in the file."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
        return nbformat.read(self.folder / "flow.ipynb", as_version=4)

    def begin(self, last: str) -> None:
        """Run all cells above one, then that, and don't wait for its end."""
        self.notebook.activate(last)
        self.notebook.command("notebook:run-all-above")
        above = self.notebook._lines[self.notebook.index(last) - 1]
        self.notebook.wait_until_run(above)
        assert self.notebook.errors() == []
        self.notebook.run(last)


@pytest.fixture(scope="module")
def context(browser: Browser, screen: dict[str, Any]) -> Iterator[BrowserContext]:
    """Share one cache, so that the browser loads and compiles the apps once."""
    with browser.new_context(**screen) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


@pytest.fixture(params=["lab", "notebook"])
def app(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(
    lab: Any, open_notebook: Callable[..., Any], tmp_path: Path, app: str, photograph: Callable[..., None]
) -> Iterator[Callable[..., Opened]]:
    """Return what opens a notebook of these cells in the app; at the end its kernel is shut down."""
    folder = lab.folder / tmp_path.name
    made: list[Opened] = []

    def open_cells(*cells: str) -> Opened:
        folder.mkdir()
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
        book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(book, folder / "flow.ipynb")
        notebook = open_notebook(f"{folder.name}/flow.ipynb", app)
        made.append(Opened(notebook, folder, lambda shown, scene: photograph(shown, f"{scene}-{app}")))
        return made[-1]

    yield open_cells
    for one in made:
        one.let_through()
        one.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def states(panel: Locator) -> dict[str, str]:
    found: dict[str, str] = panel.locator(".row").evaluate_all(
        "rows => Object.fromEntries(rows.map(({dataset}) => [dataset.taskId, dataset.state]))"
    )
    return found


def expect_status(panel: Locator, status: str) -> None:
    expect(panel).to_have_attribute("data-run-status", status)


def test_run_all_is_watched_while_the_cell_is_busy(opened: Callable[..., Opened]) -> None:
    it = opened(BEGIN, LOAD, SORT, f"{RUN}\ngate('end')")
    it.notebook.command("notebook:run-all-cells")
    for gate, *expected in (("go", "Running", "Waiting"), ("on", "Completed", "Running"), ("end", *["Completed"] * 2)):
        for task, state in zip(("load", "sort"), expected, strict=True):
            expect(it.panel().locator(f'.row[data-task-id="{task}"]')).to_have_attribute("data-state", state)
        assert it.notebook.is_busy(RUN)
        it.let_through(gate)
    it.notebook.wait_until_run(RUN)
    assert it.notebook.errors() == []


def test_cancel_in_a_blocked_cell(opened: Callable[..., Opened]) -> None:
    last = f"{RUN}\ngate('end')"
    it = opened(BEGIN, LOAD, CLEAN, last)
    it.begin(RUN)
    it.expect_live()
    it.picture("running")
    it.panel().get_by_role("button", name="Cancel").click()
    expect_status(it.panel(), "Cancelled")
    assert it.notebook.is_busy(RUN)
    it.picture("cancelled")
    assert states(it.panel()) == {"load": "Cancelled", "clean": "Cancelled"}
    it.let_through("end")
    it.notebook.wait_until_run(RUN)
    assert it.notebook.errors() == []


def test_a_kernel_that_takes_no_messages_is_interrupted(opened: Callable[..., Opened]) -> None:
    it = opened(BEGIN, NO_REMEDY, LOAD, RUN)
    it.begin(RUN)
    expect(it.panel().locator('.row[data-state="Running"]')).to_have_count(1)
    it.panel().get_by_role("button", name="Cancel").click()
    expect_status(it.panel(), "Cancelled")
    it.notebook.wait_until_run(RUN)
    assert [error.partition(":")[0] for error in it.notebook.errors()] == ["KeyboardInterrupt"]


def test_the_interrupt_button_cancels(opened: Callable[..., Opened]) -> None:
    it = opened(BEGIN, LOAD, RUN)
    it.begin(RUN)
    it.expect_live()
    it.notebook.command("notebook:interrupt-kernel")
    expect_status(it.panel(), "Cancelled")
    it.notebook.wait_until_run(RUN)


def test_a_failed_run_is_understood_mended_and_gone_on_with(opened: Callable[..., Opened]) -> None:
    it = opened(BEGIN, LOAD, CLEAN, REPORT, RUN)
    it.let_through()
    it.begin(RUN)
    expect_status(it.panel(), "Failed")
    it.notebook.wait_until_run(RUN)
    it.panel().locator('.row[data-task-id="report"]').click()
    chosen = it.panel().locator(".chosen")
    expect(chosen.locator(".trace")).to_contain_text("Cell In[4], line 3")
    expect(chosen.locator(".trace")).to_contain_text("ZeroDivisionError")
    expect(chosen.locator(".log .lines")).to_have_text("dividing")
    it.picture("failed")
    it.notebook.edit(REPORT.partition("\n")[0], MENDED)
    it.notebook.run(REPORT.partition("\n")[0])
    it.notebook.wait_until_run(REPORT.partition("\n")[0])
    it.panel().get_by_role("button", name="Resume").click()
    expect_status(it.panel(1), "Completed")
    expect(it.panel(1)).to_be_in_viewport(ratio=1)
    expect(it.panel(0).locator(".next")).to_have_text(re.compile(r"^Run \w{8} goes on with this one\.$"))
    assert states(it.panel(1)) == {"load": "Taken", "clean": "Taken", "report": "Completed"}
    it.keep(it.panel(1), "resumed")
    it.panel(1).locator('.row[data-task-id="clean"]').click()
    it.panel(1).get_by_role("button", name="Re-run").click()
    expect_status(it.panel(2), "Completed")
    expect(it.panel(2)).to_be_in_viewport(ratio=1)
    expect(it.panel(1).locator(".next")).to_have_text(re.compile("executes clean again"))
    assert states(it.panel(2)) == {"load": "Taken", "clean": "Completed", "report": "Skipped"}
    assert list(states(it.panel(0)).values()) == ["Completed", "Completed", "Failed"]
    it.notebook.reload()
    expect(it.panel(0).locator(".next")).to_have_text(re.compile("goes on with this one"))


def test_a_thousand_tasks_are_run_and_filtered(opened: Callable[..., Opened]) -> None:
    it = opened(MANY, RUN)
    it.begin(RUN)
    expect_status(it.panel(), "Failed")
    expect(it.panel().locator(".found")).to_have_text("1,000 tasks")
    assert it.panel().locator(".row").count() < 50
    it.panel().locator(".list").focus()
    it.page.keyboard.press("/")
    it.page.keyboard.type("part_99")
    expect(it.panel().locator(".found")).to_have_text("11 of 1,000 tasks")
    it.panel().locator('.chip[data-state="Failed"]').click()
    expect(it.panel().locator(".found")).to_have_text("2 of 1,000 tasks")
    assert states(it.panel()) == {"part_99": "Failed", "part_990": "Failed"}
    it.picture("filtered")
    it.notebook.wait_until_run(RUN)


def test_a_reload_finds_a_background_run_live_with_its_log(opened: Callable[..., Opened]) -> None:
    it = opened(BEGIN, LOAD, CLEAN, BACKGROUND)
    it.begin(BACKGROUND)
    it.panel().locator('.row[data-task-id="load"]').click()
    expect(it.panel().locator(".log .lines")).to_have_text("reading")
    it.notebook.wait_until_run(BACKGROUND)
    it.expect_live()
    it.notebook.reload()
    it.expect_live()
    expect(it.panel().locator(".log .lines")).to_have_text("reading")
    it.picture("reloaded")
    it.panel().locator('.row[data-task-id="clean"]').click()
    it.let_through()
    expect_status(it.panel(), "Completed")
    expect(it.panel().locator(".log .lines")).to_have_text("cleaning 3 rows")
    expect(it.panel().locator(".notice")).to_contain_text("1 line printed since this page was loaded again")
    it.expect_kept()
    displayed = [output["data"]["text/plain"] for output in it.notebook.outputs(BACKGROUND) if "data" in output]
    line = next(text for text in displayed if text.startswith("✓ flow  ·  run "))
    assert re.search(r"completed in .*  ·  1 line printed after a reload of the page: %cloaca_logs --run ", line)
    it.panel().get_by_role("button", name="Re-run").click()
    expect_status(it.panel(1), "Completed")
    it.expect_kept(runs=2)
    assert it.page.locator(".cloaca-panel").count() == 2


def test_a_reload_finds_the_run_of_a_blocked_cell_live_with_its_log(opened: Callable[..., Opened]) -> None:
    it = opened(BEGIN, LOAD, CLEAN, RUN)
    it.begin(RUN)
    it.expect_live()
    it.panel().locator('.row[data-task-id="load"]').click()
    expect(it.panel().locator(".log .lines")).to_have_text("reading")
    it.notebook.reload()
    it.expect_live()
    expect(it.panel().locator(".log .lines")).to_have_text("reading")
    it.let_through()
    expect_status(it.panel(), "Completed")
    it.expect_kept()


def test_what_is_saved_needs_no_kernel_no_trust_and_as_html_no_network(
    opened: Callable[..., Opened], open_notebook: Callable[..., Any], browser: Browser, app: str
) -> None:
    it = opened(BEGIN, LOAD, CLEAN, RUN)
    it.let_through()
    it.begin(RUN)
    expect_status(it.panel(), "Completed")
    it.notebook.wait_until_run(RUN)
    book = it.saved()
    assert "widget-view" not in json.dumps(book.cells)
    expect_shown_without_network(browser, book, it.folder / "flow.html")
    book.cells.append(nbformat.v4.new_markdown_cell("another notebook, which nobody has trusted"))
    nbformat.write(book, it.folder / "untrusted.ipynb")
    again = open_notebook(f"{it.folder.name}/untrusted.ipynb", app)
    trusted = "() => window.jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.trusted).length"
    it.page.wait_for_function(f"() => ({trusted})() === 0")
    picture = it.page.locator('img[src^="data:image/svg+xml"]')
    expect(picture).to_be_visible()
    it.picture("untrusted")
    assert it.page.get_by_text("model not found").count() == 0
    assert it.page.locator(".cloaca-panel").count() == 0
    assert again.errors() == []


def expect_shown_without_network(browser: Browser, book: nbformat.NotebookNode, path: Path) -> None:
    """Look at the notebook as nbconvert makes HTML of it."""
    path.write_text(HTMLExporter().from_notebook_node(book)[0])
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(path.as_uri())
        expect(page.locator("tr[data-task-id]")).to_contain_text(["load", "clean"])
        picture = page.locator('img[src^="data:image/svg+xml"]')
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_without_its_kernel_a_panel_says_how_to_go_on(opened: Callable[..., Opened]) -> None:
    it = opened(BEGIN, LOAD, CLEAN, BACKGROUND)
    it.begin(BACKGROUND)
    it.expect_live()
    it.notebook.wait_until_run(BACKGROUND)
    it.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect_status(it.panel(), "Interrupted")
    resume = it.panel().get_by_role("button", name="Resume")
    expect(resume).to_have_attribute("aria-disabled", "true")
    expect(resume).to_have_attribute("title", re.compile("kernel of this run is gone.*%cloaca_run --resume"))
    it.picture("kernel-gone")


def test_a_kernel_that_another_tab_has_restarted_is_gone_here_too(
    opened: Callable[..., Opened], context: BrowserContext
) -> None:
    it = opened(BEGIN, LOAD, CLEAN, REPORT, RUN)
    it.let_through()
    it.begin(RUN)
    expect_status(it.panel(), "Failed")
    it.notebook.wait_until_run(RUN)
    it.saved()
    with context.new_page() as other:
        other.goto(it.page.url)
        panel = other.locator(".cloaca-live .cloaca-panel")
        expect(panel.get_by_role("button", name="Resume")).to_have_attribute("aria-disabled", "false")
        it.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        expect(panel.locator(".notice")).to_have_text(re.compile("kernel of this run is gone.*%cloaca_run --resume"))
