"""Which data a package finds only where it is run: files beside the notebook that its code opens by a relative path."""

from collections.abc import Iterable
from pathlib import Path

from cloaca_nb.core.code.opened_files import opened_files
from cloaca_nb.packaging.analysis.quiet import parse

__all__ = ["opens"]


def opens(texts: Iterable[tuple[str, str]], folder: Path | None) -> tuple[str, ...]:
    """Return the paths, each once, as the code has them.

    Args:
        texts: where code stands that a package carries, and that code.
        folder: the notebook's; None: it isn't known, so nothing is.
    """
    if folder is None:
        return ()
    paths = dict.fromkeys(path for _, text in texts for path in opened_files(parse(text)))
    return tuple(path for path in paths if not Path(path).is_absolute() and _is_file(folder / path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name that a file can have
        return False
