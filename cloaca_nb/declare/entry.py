"""The entry module of a project: what `[tool.cloaca]` in its pyproject.toml names, found and imported."""

import importlib
import sys
from pathlib import Path
from typing import Any, Final

from cloaca_nb.errors import ConfigurationError

__all__ = ["PYPROJECT", "entry_module", "import_entry_module"]

PYPROJECT: Final = "pyproject.toml"
VENDOR: Final = "vendor"


def entry_module(folder: Path) -> str | None:
    """Return what ``[tool.cloaca] entry_module`` of the folder's pyproject.toml says; None if it says nothing.

    Raises:
        ConfigurationError: if the file can't be read.
    """
    import tomllib  # noqa: PLC0415 - only who has such a file needs it

    file = folder / PYPROJECT
    if not file.is_file():
        return None
    try:
        tables: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} can't be read: {error}.") from error
    found = tables.get("tool", {}).get("cloaca", {}).get("entry_module")
    return found if isinstance(found, str) else None


def import_entry_module(folder: Path) -> bool:
    """Import the entry module of the project in a folder, once, and say whether there was one to import.

    The folder and its ``vendor/`` stay among the import paths, as those of a script do: its tasks may import from them.
    """
    wanted = entry_module(folder)
    if wanted is None or wanted in sys.modules:
        return False
    sys.path[:0] = [one for one in (str(folder), str(folder / VENDOR)) if one not in sys.path and Path(one).is_dir()]
    importlib.invalidate_caches()
    importlib.import_module(wanted)
    return True
