"""What a cell shows of a workflow that stands at its end."""

from typing import TYPE_CHECKING

from cloaca_nb.notebook.drawing.layout import lay_out
from cloaca_nb.notebook.drawing.table import workflow_html, workflow_text

if TYPE_CHECKING:
    from cloaca_nb.core.graph import Workflow

__all__ = ["workflow_bundle"]


def workflow_bundle(workflow: "Workflow") -> dict[str, str]:
    """Return its picture and what is in it, by MIME type."""
    return {"text/html": workflow_html(workflow, lay_out(workflow)), "text/plain": workflow_text(workflow)}
