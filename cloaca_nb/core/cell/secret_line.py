"""What stands behind `%%cloaca_params`, or as a `#| secret: …` line under it: which parameters are secret."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from cloaca_nb.core.cell.option_values import plain_names
from cloaca_nb.errors import CellError, near_miss

__all__ = ["secret_names"]

MAGIC: Final = "%%cloaca_params"
KEY: Final = "secret"
OPTION: Final = re.compile(r"\s*(?:--secret(?:\s+|=)(?P<names>\S+))?\s*")


def secret_names(line: str, comments: Iterable[tuple[str, str]], parameters: Collection[str]) -> tuple[str, ...]:
    """Read which parameters are secret.

    Args:
        line: what stands behind the magic: "--secret api_token".
        comments: key and value of each ``#| key: value`` line.
        parameters: those that the cell defines.

    Raises:
        CellError: a ValueError, for another option, or a name that is no parameter of the cell.
    """
    found = OPTION.fullmatch(line)
    if found is None:
        raise CellError(f"{MAGIC} takes `--secret a,b` behind it and nothing else, but there is {line.strip()!r}.")
    texts = [found["names"]] if found["names"] else []
    for key, value in comments:
        if key != KEY:
            raise CellError(
                f"Unknown option `#| {key}`.{near_miss(key, [KEY])} A parameters cell knows `#| {KEY}: a,b`."
            )
        texts.append(value)
    names = dict.fromkeys(name for text in texts for name in _names(text))
    for name in names:
        if name not in parameters:
            raise CellError(
                f"{MAGIC} --secret {name}: the cell has no parameter {name!r}.{near_miss(name, parameters)} "
                f'Give it a default: `{name} = ""`.'
            )
    return tuple(names)


def _names(text: str) -> tuple[str, ...]:
    try:
        return plain_names(text)
    except ValueError as error:
        raise CellError(f"{MAGIC} --secret: {error}.") from None
