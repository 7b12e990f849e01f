"""A real IPython shell with the extension loaded, and what its cells come to."""

import atexit
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from cloaca_nb.declare import place
from cloaca_nb.declare.registry import Registry
from cloaca_nb.notebook.extension import load
from cloaca_nb.notebook.session import Session

PATIENCE_S = 60


@dataclass(frozen=True)
class Ran:
    """What one cell came to: its output streams, its displays as plain text and as HTML, its error and its value."""

    out: str
    err: str
    shown: list[str]
    html: list[str]
    error: BaseException | None
    value: Any


class Cells:
    """Runs cells, one after the other."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self.shell = shell
        self.session = session

    def __call__(self, text: str, cell_id: str | None = None) -> Ran:
        with capture_output() as captured:
            result = self.shell.run_cell(text, store_history=True, cell_id=cell_id)
        data = [output.data for output in captured.outputs]
        return Ran(
            captured.stdout,
            captured.stderr,
            [one["text/plain"] for one in data],
            [one.get("text/html", "") for one in data],
            result.error_before_exec or result.error_in_exec,
            result.result,
        )

    @property
    def names(self) -> dict[str, Any]:
        return self.shell.user_ns


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    made = InteractiveShell.instance(config=config)
    yield made
    made.restore_sys_module_state()
    InteractiveShell.clear_instance()


@pytest.fixture
def session(shell, registry: Registry, tmp_path, monkeypatch) -> Iterator[Session]:
    assert registry.names() == []
    monkeypatch.setattr(place, "_labels", [])
    monkeypatch.setenv("CLOACA_HISTORY", ":memory:")
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    made = load(shell)
    yield made
    made.close()
    atexit.unregister(made.close)


@pytest.fixture
def cell(shell, session) -> Cells:
    """Runs a cell: ``cell(text)``, or ``cell(text, "its id")``."""
    cells = Cells(shell, session)
    cells("import cloaca_nb as cloaca")
    return cells


@pytest.fixture
def kernel_home(tmp_path, monkeypatch):
    """A folder in which a kernel works and keeps everything that it writes."""
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delenv("CLOACA_HISTORY", raising=False)
    return tmp_path


class Kernel:
    """Executes cells as a front end does: with their ids.

    Args:
        manager: of the kernel.
        client: its client.
        by_person: whether it says that somebody is there who could answer `input()`.
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient, *, by_person: bool = False) -> None:
        self.manager = manager
        self.client = client
        self.by_person = by_person

    def send(self, code: str, cell_id: str | None = None) -> str:
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content["allow_stdin"] = self.by_person
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell_id} if cell_id else {})
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def subshell(self) -> str:
        """Return the id of a new subshell: it answers while a cell blocks the kernel."""
        asked = self.client.session.msg("create_subshell_request")
        self.client.control_channel.send(asked)
        subshell_id: str = self.client.get_control_msg(timeout=PATIENCE_S)["content"]["subshell_id"]
        return subshell_id

    def answered(self, code: str, *answers: str) -> str:
        """Execute a cell whose questions are answered in order, and return everything that it says."""
        sent = self.send(code)
        asked = []
        for answer in answers:
            asked.append(self.client.get_stdin_msg(timeout=PATIENCE_S)["content"]["prompt"])
            self.client.input(answer)
        return "\n".join([*asked, self.said(self.messages(sent))])

    def messages(self, sent: str) -> Iterator[tuple[str, Any]]:
        """Yield what the cell publishes until it is done."""
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE_S)
            if message["parent_header"].get("msg_id") == sent:
                yield message["msg_type"], message["content"]
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    return

    def __call__(self, code: str, cell_id: str | None = None) -> str:
        """Execute a cell and return everything that it says."""
        return self.said(self.messages(self.send(code, cell_id)))

    def said(self, messages: Iterator[tuple[str, Any]]) -> str:
        """Return all text of what a cell publishes."""
        parts = []
        for kind, content in messages:
            if kind == "error":
                parts.append("\n".join(content["traceback"]))
            parts.append(content.get("text", "") or content.get("data", {}).get("text/plain", ""))
        return "\n".join(filter(None, parts))


@pytest.fixture
def kernel(kernel_home) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(kernel_home), extra_arguments=["--log-level=ERROR"])
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE_S)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
