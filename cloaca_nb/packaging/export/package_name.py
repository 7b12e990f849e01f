"""What a package may be called: nothing that would hide a module which it needs."""

import re
import sys
from typing import Final

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.carried_modules import Foundation
from cloaca_nb.packaging.analysis.imports import OUR_NAMES

__all__ = ["bare", "check_package_name", "default_name", "is_untitled"]

UNTITLED: Final = re.compile(r"Untitled\d*")  # what JupyterLab calls a notebook that nobody has given a name


def is_untitled(workflow: str) -> bool:
    """Say whether a workflow has no other name than that of a notebook that has none."""
    return UNTITLED.fullmatch(workflow) is not None


def default_name(workflow: str, folder: str = "") -> str:
    """Return what the package of a workflow is called unless it gets a name of its own.

    Args:
        workflow: its name.
        folder: the name of the package's folder, after which that of an untitled workflow is called.

    >>> default_name("flight delays, 2013", "out")
    'flight_delays_2013'
    >>> default_name("Untitled1", "flight-delays")
    'flight_delays'
    """
    of_folder = re.sub(r"\W+", "_", folder).strip("_")
    if is_untitled(workflow) and of_folder.isidentifier():
        return of_folder
    return re.sub(r"\W+", "_", workflow).strip("_")


def check_package_name(name: str, ground: Foundation) -> None:
    """Refuse a name that is none for a package, or that another module of it needs.

    Raises:
        ExportError: it says which name to give instead.
    """
    taken = {*sys.stdlib_module_names, *OUR_NAMES, *ground.local_names, "tests"}
    taken |= {bare(one).replace("-", "_") for one in ground.requirements}
    if name in taken:
        raise ExportError(
            f"A package named {name!r} would hide the module of that name. Give another name: {name}_workflow."
        )
    if not name.isidentifier():
        raise ExportError(f"{name!r} can't be the name of a Python package: use letters, digits and _.")


def bare(requirement: str) -> str:
    """Return the distribution's name of a requirement, as package indexes compare them."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()
