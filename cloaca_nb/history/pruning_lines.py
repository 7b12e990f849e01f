"""How a person prunes a history: lines that run as they stand."""

import os
import shlex
from pathlib import Path

from cloaca_nb.history.location import Location, parse_url

__all__ = ["pruning_lines"]


def pruning_lines(location: Location, schema: str | None, keep: int) -> str:
    """Return what to type in Python and in a shell; the history is named unless it is the one that is meant anyway.

    Args:
        location: where the history lies.
        schema: under which name it is kept apart in the database; None: it isn't.
        keep: how many runs of each workflow are to stay.
    """
    usual = parse_url(None, environ=os.environ, cwd=Path.cwd())
    named = "" if location.path == usual.path and schema is None else str(location)
    arguments = [repr(named)] if named else []
    arguments += [f"schema={schema!r}"] if schema is not None else []
    python = f"import cloaca_nb; cloaca_nb.history({', '.join(arguments)}).prune(keep={keep})"
    if schema is not None:  # the command knows no schemas
        return python
    shell = f"cloaca-nb history prune --keep {keep}" + (f" --history {shlex.quote(named)}" if named else "")
    return f"{python}, or in a shell: {shell}"
