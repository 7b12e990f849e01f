"""A real IPython shell with the extension loaded, and what its cells come to."""

import atexit
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from cloaca_nb.declare import place
from cloaca_nb.declare.registry import Registry
from cloaca_nb.notebook.extension import load
from cloaca_nb.notebook.session import Session


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
