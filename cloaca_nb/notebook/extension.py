"""`%load_ext cloaca_nb`: puts magics, completion, settings, displays and hooks into a shell."""

import atexit
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from cloaca_nb.declare.place import label_files_by
from cloaca_nb.engine.output import remember_screens
from cloaca_nb.engine.questions import guarded
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import CloacaError
from cloaca_nb.history.present import history_of_notebook
from cloaca_nb.notebook.completion import Completion
from cloaca_nb.notebook.displays import record_displays
from cloaca_nb.notebook.failure import own_lines
from cloaca_nb.notebook.magics import CloacaMagics
from cloaca_nb.notebook.runs import told
from cloaca_nb.notebook.session import Session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

# What a notebook has defined and run outlives an unloading: `%reload_ext` is one, and a loading.
_sessions: Final[WeakKeyDictionary["InteractiveShell", Session]] = WeakKeyDictionary()
_matchers: Final[WeakKeyDictionary["InteractiveShell", Any]] = WeakKeyDictionary()


def load(shell: "InteractiveShell") -> Session:
    """Install everything in `shell`; loading again keeps the session that is there."""
    if shell in _matchers:
        return _sessions[shell]
    session = _sessions.get(shell)
    if session is None:
        session = _sessions[shell] = Session(shell)
        atexit.register(session.close)
    shell.register_magics(CloacaMagics(shell, session))
    shell.configurables += [session.settings]  # type: ignore[list-item]  # any Configurable will do
    shell.events.register("pre_run_cell", session.following.cell_begins)
    shell.events.register("post_run_cell", session.following.cell_ends)
    _matchers[shell] = Completion(session).match
    shell.Completer.custom_matchers.append(_matchers[shell])
    CloacaError._render_traceback_ = own_lines  # type: ignore[attr-defined]  # IPython's hook
    label_files_by(lambda filename: _cell_label(shell, filename))
    history_of_notebook(session.history)
    if shell.display_formatter is not None:
        shell.display_formatter.mimebundle_formatter.for_type(Run, _run_bundle)
        shell.display_formatter.ipython_display_formatter.for_type(Run, partial(_leave_to_notice, session))
    remember_screens()
    record_displays(shell)
    _guard_questions(getattr(shell, "kernel", None))
    return session


def unload(shell: "InteractiveShell") -> None:
    """Take magics, completion, settings and hooks out of `shell`; runs that go on do so."""
    matcher = _matchers.pop(shell, None)
    if matcher is None:
        return
    session = _sessions[shell]
    history_of_notebook(None)
    shell.Completer.custom_matchers.remove(matcher)
    shell.events.unregister("pre_run_cell", session.following.cell_begins)
    shell.events.unregister("post_run_cell", session.following.cell_ends)
    magics = shell.magics_manager.registry.pop("CloacaMagics")
    shell.configurables[:] = [one for one in shell.configurables if one not in (magics, session.settings)]
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)


def _guard_questions(kernel: Any) -> None:
    """Have a kernel's ways to ask fail in a task, from whichever cell the task has them."""
    for name, asked in (("raw_input", "input"), ("getpass", "getpass"), ("_input_request", "input")):
        if hasattr(kernel, name):
            setattr(kernel, name, guarded(getattr(kernel, name), asked))


def _cell_label(shell: "InteractiveShell", filename: str) -> str | None:
    """Return "Cell In[3]" for the file name under which IPython compiled that cell."""
    found = shell.compile.format_code_name(filename)
    return " ".join(found) if found else None


def _leave_to_notice(session: Session, run: Run) -> None:
    """Show nothing more of a run in the cell that has started it: the notice there is changed when the run is over."""
    if run is not session.runs.noticed:
        raise NotImplementedError  # so IPython goes on with its other ways to show it


def _run_bundle(run: Run, **options: Any) -> dict[str, str]:
    return told(run)._repr_mimebundle_(**options)
