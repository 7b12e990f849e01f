"""What stands behind `%%cloaca_params`, or as a `#| secret: …` line under it: which parameters are secret."""

from collections.abc import Collection, Iterable
from typing import Final

from cloaca_nb.core.cell.magic_line import MagicLine
from cloaca_nb.core.cell.option_values import plain_names
from cloaca_nb.core.cell.options import CellOption
from cloaca_nb.errors import CellError, near_miss

__all__ = ["SECRET", "secret_names"]

MAGIC: Final = "%%cloaca_params"
SECRET: Final = CellOption("--secret", "a,b", "Parameters whose values are never shown or kept.", plain_names)
LINE: Final = MagicLine(
    MAGIC,
    (SECRET,),
    "It takes --secret a,b and nothing else: the parameters are the lines below, like `year = 2013`.",
    named=False,
)


def secret_names(line: str, comments: Iterable[tuple[str, str]], parameters: Collection[str]) -> tuple[str, ...]:
    """Read which parameters are secret.

    Args:
        line: what stands behind the magic: "--secret api_token".
        comments: key and value of each ``#| key: value`` line.
        parameters: those that the cell defines.

    Raises:
        CellError: a ValueError, for another option, or a name that is no parameter of the cell.
    """
    _, found = LINE.read(line, comments)
    names = dict.fromkeys(name for given in found[SECRET.name] for name in given)
    for name in names:
        if name not in parameters:
            raise CellError(
                f"{MAGIC} --secret {name}: the cell has no parameter {name!r}.{near_miss(name, parameters)} "
                f'Give it a default: `{name} = ""`.'
            )
    return tuple(names)
