"""A real server with JupyterLab and Notebook 7, and a real browser, each started once."""

import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[2]
TICK_S: Final = 0.1
START_S: Final = 60
SECOND_MS: Final = 1000
COLOURS: Final = 256  # of a picture that is kept
CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
KERNEL_IS_READY: Final = """() => {
    const kernel = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === "connected" && kernel?.status === "idle";
}"""
CELLS_ARE_THERE: Final = "() => window.jupyterapp.shell.currentWidget?.content?.widgets?.length"
CHANGE_THEME: Final = """async theme => {
    await window.jupyterapp.commands.execute("apputils:change-theme", {theme: `JupyterLab ${theme}`});
    const isLight = String(theme === "Light");
    while (document.body.dataset.jpThemeLight !== isLight) await new Promise(requestAnimationFrame);
}"""
QUIET: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Lab:
    """A running server of JupyterLab and Notebook 7.

    Attributes:
        url: its address, without a slash at the end.
        token: what lets one in.
        folder: what it shows; files put there can be opened.
    """

    url: str
    token: str
    folder: Path

    def address(self, path: str, app: str = "lab") -> str:
        """Return where the file at `path` in the folder is opened in an app: "lab" or "notebook"."""
        place = {"lab": f"lab/tree/{path}?reset&", "notebook": f"notebooks/{path}?"}[app]
        return f"{self.url}/{place}token={self.token}"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start a server that knows nothing of this machine's own."""
    with serving(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@contextmanager
def serving(home: Path) -> Iterator[Lab]:
    """Start a server that keeps everything of its own in an empty folder."""
    lab = Lab(f"http://127.0.0.1:{_free_port()}", secrets.token_hex(), home / "work")
    lab.folder.mkdir()
    _silence_news(home)
    with (home / "server.log").open("wb") as log, _serve(lab, home, log.fileno()) as server:
        _await_answer(lab, server, home / "server.log")
        yield lab


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser, or skip what needs it; continuous integration has to have one.

    Its event loop runs in this thread for as long as it is there, so it must be gone before other tests begin.
    """
    with browsing() as browser:
        yield browser


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start the browser."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        told = "this needs Chromium: apt install chromium, or set CHROMIUM to where it is"
        if os.environ.get("CI"):
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


class NotebookPage:
    """A notebook that is open in a page, with its kernel ready. Cells are named by their first line."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(address)
        self._wait_until_open()
        page.wait_for_function(KERNEL_IS_READY)
        self._lines: list[str] = page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets"
            ".map(cell => cell.model.sharedModel.source.split('\\n')[0])"
        )

    def _wait_until_open(self) -> None:
        self.page.wait_for_function("() => window.jupyterapp?.restored")
        self.page.evaluate("() => window.jupyterapp.restored.then(() => true)")
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft?.()")
        self.page.wait_for_function(CELLS_ARE_THERE)

    def reload(self) -> None:
        """Save, and load the page again as a person does; the kernel may be busy."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
        self.page.reload()
        self._wait_until_open()

    def index(self, first_line: str) -> int:
        """Return the place of the cell among all cells."""
        return self._lines.index(first_line)

    def activate(self, first_line: str) -> None:
        """Select the cell and bring it into view."""
        self.page.evaluate(
            """index => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                return notebook.scrollToItem(index, "start");
            }""",
            self.index(first_line),
        )

    def command(self, name: str) -> None:
        """Start one of JupyterLab's commands, and don't wait for its end."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)

    def wait_until_run(self, first_line: str) -> None:
        """Wait until the cell, and every code cell above it, has been executed."""
        self.page.wait_for_function(
            """last => window.jupyterapp.shell.currentWidget.content.widgets.slice(0, last + 1).every(
                ({model}) => model.type !== "code" || (model.executionCount && model.executionState === "idle")
            )""",
            arg=self.index(first_line),
            polling=50,  # ms; by default it is every frame, and a page that must draw each takes a run's time
        )

    def run(self, first_line: str) -> None:
        """Start the cell, and don't wait for its end."""
        self.activate(first_line)
        self.command("notebook:run-cell")

    def is_busy(self, first_line: str) -> bool:
        """Say whether the cell is being executed."""
        state = "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionState"
        return bool(self.page.evaluate(state, self.index(first_line)) == "running")

    def edit(self, first_line: str, text: str) -> None:
        """Put another text into the cell, whose first line stays."""
        self.page.evaluate(
            """([index, text]) => {
                window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.setSource(text);
            }""",
            [self.index(first_line), text],
        )

    def outputs(self, first_line: str) -> list[dict[str, Any]]:
        """Return the cell's outputs as the notebook would save them."""
        outputs: list[dict[str, Any]] = self.page.evaluate(
            "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()",
            self.index(first_line),
        )
        return outputs

    def errors(self) -> list[str]:
        """Return what the cells raised."""
        raised: list[str] = self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets
                .filter(({model}) => model.type === "code")
                .flatMap(({model}) => model.outputs.toJSON())
                .filter(output => output.output_type === "error")
                .map(({ename, evalue}) => `${ename}: ${evalue}`)"""
        )
        return raised


@pytest.fixture(scope="session")
def screen() -> dict[str, Any]:
    """Return what a page is shown on: a narrow one for pictures that are kept."""
    return {"viewport": {"width": 960 if pictures() else 1280, "height": 1120}}


@pytest.fixture
def page(browser: Browser, screen: dict[str, Any]) -> Iterator[Page]:
    """Open an empty page."""
    page = browser.new_page(**screen)
    page.set_default_timeout(60 * SECOND_MS)
    yield page
    page.close()


@pytest.fixture
def open_notebook(lab: Lab, page: Page) -> Callable[..., NotebookPage]:
    """Return what opens a notebook of the lab's folder, given its path there and the app."""
    return lambda path, app="lab": NotebookPage(page, lab.address(path, app))


def pictures() -> str | None:
    """Return the folder in which pictures of what the tests see are kept; None: nobody wants any."""
    return os.environ.get("SCREENSHOTS")


@pytest.fixture
def photograph() -> Callable[..., None]:
    """Return what keeps a picture of something on a page under a name, in each theme, where pictures are wanted."""
    return _photograph if pictures() else lambda *_, **__: None


def _photograph(shown: Locator, name: str, height: int = 1000) -> None:
    """Keep `name.png` and `name-dark.png`, at most that many pixels high, and leave the light theme behind."""
    folder = Path(pictures() or "")
    folder.mkdir(parents=True, exist_ok=True)
    for theme, file in (("Dark", f"{name}-dark.png"), ("Light", f"{name}.png")):
        shown.page.evaluate(CHANGE_THEME, theme)
        shown.evaluate("node => node.scrollIntoView({block: 'start'})")
        box = shown.bounding_box() or {}
        box["height"] = min(box["height"], height)
        taken = Image.open(io.BytesIO(shown.page.screenshot(clip=box, animations="disabled")))
        taken.convert("RGB").quantize(COLOURS).save(folder / file, optimize=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(home: Path, token: str) -> dict[str, str]:
    """Return this process's environment with every folder of Jupyter's inside `home`."""
    own = ["CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "COV_CORE"))},
        **{f"JUPYTER_{name}": str(home / name.lower()) for name in own},
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_TOKEN": token,
        "IPYTHONDIR": str(home / "ipython"),
        "HOME": str(home),
        "CLOACA_HISTORY": str(home / ".cloaca" / "history.duckdb"),
    }


def _silence_news(home: Path) -> None:
    """Keep JupyterLab from asking whether it may fetch news."""
    folder = home / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    setting = {"fetchNews": "false", "checkForUpdates": False}
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(setting))


@contextmanager
def _serve(lab: Lab, home: Path, log: int) -> "Iterator[subprocess.Popen[bytes]]":
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={lab.url.rpartition(':')[2]}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={lab.folder}", "--LabApp.expose_app_in_browser=True"),
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    environment = _environment(home, lab.token)
    with subprocess.Popen(command, env=environment, cwd=lab.folder, stdout=log, stderr=log) as server:  # noqa: S603 - our own interpreter
        try:
            yield server
        finally:
            server.terminate()


def _await_answer(lab: Lab, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(int(START_S / TICK_S)):
        if _answers(lab):
            return
        try:
            server.wait(TICK_S)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"JupyterLab doesn't start:\n{log.read_text()}", pytrace=False)


def _answers(lab: Lab) -> bool:
    try:
        with urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5):  # noqa: S310 - our own server
            return True
    except (urllib.error.URLError, ConnectionError):
        return False
