"""`%load_ext cloaca_nb`: puts magics, displays and hooks into a shell."""

import atexit
from typing import TYPE_CHECKING, Any

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.place import label_files_by
from cloaca_nb.errors import CloacaError
from cloaca_nb.notebook.displays import record_displays
from cloaca_nb.notebook.failure import own_lines
from cloaca_nb.notebook.layout import lay_out
from cloaca_nb.notebook.magics import CloacaMagics
from cloaca_nb.notebook.session import Session
from cloaca_nb.notebook.table import workflow_html, workflow_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load"]


def load(shell: "InteractiveShell") -> Session:
    """Install everything in `shell`; loading again keeps the session that is there."""
    known = shell.magics_manager.registry.get("CloacaMagics")
    if known is not None:
        session: Session = known.session
        return session
    session = Session(shell)
    shell.register_magics(CloacaMagics(shell, session))
    shell.events.register("pre_run_cell", session.cell_begins)
    shell.events.register("post_run_cell", session.cell_ends)
    CloacaError._render_traceback_ = own_lines  # type: ignore[attr-defined]  # IPython's hook
    label_files_by(lambda filename: _cell_label(shell, filename))
    if shell.display_formatter is not None:
        shell.display_formatter.mimebundle_formatter.for_type(Workflow, _workflow_bundle)
    record_displays(shell)
    atexit.register(session.close)
    return session


def _cell_label(shell: "InteractiveShell", filename: str) -> str | None:
    """Return "Cell In[3]" for the file name under which IPython compiled that cell."""
    found = shell.compile.format_code_name(filename)
    return " ".join(found) if found else None


def _workflow_bundle(workflow: Workflow, **_options: Any) -> dict[str, str]:
    return {"text/html": workflow_html(workflow, lay_out(workflow)), "text/plain": workflow_text(workflow)}
