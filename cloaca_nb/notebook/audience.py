"""Who looks on while a cell runs: that decides how its run is shown."""

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Audience", "audience_of"]


class Audience(Enum):
    """Who looks on."""

    PERSON = auto()  # at a page, which shows widgets and can change what it has shown
    NOBODY = auto()  # nbclient, papermill, nbconvert: what a cell has published when it ends is kept, and nothing later
    TERMINAL = auto()  # at an IPython prompt


def audience_of(shell: "InteractiveShell") -> Audience:
    """Say who looks on at the cell that runs now.

    A front end with a person says that it can answer `input()`; one without says that it can't.
    """
    if not hasattr(shell, "kernel"):
        return Audience.TERMINAL
    parent = shell.get_parent()  # type: ignore[attr-defined]  # a kernel's shell has it
    asked: object = parent.get("content", {}).get("allow_stdin", True)
    return Audience.PERSON if asked else Audience.NOBODY
