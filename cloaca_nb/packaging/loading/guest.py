"""Inside the process of a package: it imports the entry module, tells what that registered, and waits for more.

The other end is `packaging.host`. What it asks for is the only argument; a pipe from it is the standard input, and when
that is closed, because nobody waits any more, the process ends with all that it has started.
"""

import importlib
import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.declare.place import label_files_by
from cloaca_nb.packaging.archive.member_names import VENDOR
from cloaca_nb.packaging.loading.keeper import go_on_below_a_keeper
from cloaca_nb.packaging.loading.load import workflows_of
from cloaca_nb.packaging.loading.remains import end_all

__all__ = ["CHECK", "Asked", "check", "enter"]

# The program of a process that only imports a package.
CHECK: Final = "from cloaca_nb.packaging.loading.guest import check; check()"


class Asked:
    """What the other end wants.

    Attributes:
        folder: where the package lies.
        entry_module: what to import.
        more: of the caller's own.
    """

    def __init__(self, text: str) -> None:
        asked: dict[str, Any] = json.loads(text)
        self.folder = Path(asked["folder"])
        self.entry_module: str = asked["entry_module"]
        self.more: dict[str, Any] = asked["more"]
        self._reply: int = asked["reply"]
        self._go = threading.Event()
        self._is_kept = False

    def label(self, filename: str) -> str | None:
        """Return how a file of the package is called in messages: by its path in the archive."""
        path = Path(filename)
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else None

    def answer(self, said: dict[str, Any]) -> None:
        """Tell the other end, once."""
        with os.fdopen(self._reply, "w", encoding="utf-8") as reply:
            reply.write(json.dumps(said) + "\n")

    def await_go(self) -> None:
        """Wait until the other end is content with the answer."""
        self._go.wait()

    def go_on_below_a_keeper(self, control: int) -> None:
        """Go on below a process that ends this one with all that it has started, where there is such a thing."""
        self._is_kept = go_on_below_a_keeper(control, [self._reply], self.folder.parent)

    def listen(self, control: int) -> None:
        """Take in what the other end says, until there is none; then end."""
        while os.read(control, 1):
            self._go.set()
        if self._is_kept:
            return  # the keeper ends it
        end_all(str(self.folder.parent))  # who would have done these two was killed
        shutil.rmtree(self.folder.parent, ignore_errors=True)
        os.killpg(os.getpid(), signal.SIGKILL)


def check() -> None:
    """Import a package and tell what it registers."""
    enter()


def enter() -> Asked:
    """Import a package as `sys.argv` asks, and tell what it registers; return once its tasks may be run.

    In this process `cloaca` is cloaca_nb, and the package's folder and its `vendor/` come first among the import paths.
    """
    asked = Asked(sys.argv.pop())
    asked.go_on_below_a_keeper(0)
    control = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=asked.listen, args=(control,), name="cloaca-host", daemon=True).start()
    sys.argv = [asked.entry_module]
    sys.path[:0] = [str(asked.folder), str(asked.folder / VENDOR)]
    label_files_by(asked.label)
    sys.modules["cloaca"] = sys.modules["cloaca_nb"]
    asked.answer(_import(asked))
    asked.await_go()
    return asked


def _import(asked: Asked) -> dict[str, Any]:
    try:
        importlib.import_module(asked.entry_module)
        found = workflows_of(asked.entry_module, anywhere=True)
        return {"workflows": [_described(one, asked.entry_module) for one in found.values()]}
    except BaseException as error:  # noqa: BLE001 - sys.exit() in a package is its author's slip, and no end of ours
        return {"error": _told(error, asked.folder)}


def _described(workflow: Workflow, entry_module: str) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "description": workflow.description,
        "tasks": [
            {
                "id": task.id,
                "functions": list(dict.fromkeys(_names(task, entry_module))),
                "dependencies": list(workflow.dependencies[task.id]),
                "description": task.description,
                "retries": task.retry.max_attempts - 1,
                "timeout_seconds": task.timeout,
            }
            for task in workflow.tasks
        ],
    }


def _names(task: Task, entry_module: str) -> Iterator[str]:
    """Yield ``module:name`` of a task's function: where it was defined, then where else the entry module has it."""
    function = task.function
    home = getattr(function, "__module__", None) or entry_module
    yield f"{home}:{getattr(function, '__qualname__', task.id)}"
    for name, value in vars(sys.modules[entry_module]).items():
        if value is function:
            yield f"{entry_module}:{name}"


def _told(error: BaseException, folder: Path) -> str:
    """Return an error as Python shows it, from the package's first own line on, with paths as the archive has them."""
    told = traceback.TracebackException.from_exception(error, capture_locals=False)
    own = [frame for frame in told.stack if frame.filename.startswith(str(folder))]
    told.stack = traceback.StackSummary.from_list(own)
    return "".join(told.format()).replace(f"{folder}{os.sep}", "")
