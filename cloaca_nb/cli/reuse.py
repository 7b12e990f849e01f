"""Which tasks `cloaca-nb run` takes from history instead of executing them: `--resume --cached --from --only`."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from cloaca_nb.reuse import Reuse

__all__ = ["Cached", "From", "Only", "Resume", "ReusingCommand", "reuse"]

RESUME: Final = "--resume"
LATEST: Final = ""  # what `--resume` alone says

Resume = Annotated[
    str | None,
    typer.Option(
        RESUME,
        metavar="[RUN]",
        help="Go on with an earlier run: execute what had not completed, what was edited, and what follows. RUN is its "
        "id, or the name that `history` shows; by default the workflow's latest run that is over, however it ended. "
        "Files, databases and web pages that a task opens are not watched: where these have changed, --from TASK.",
    ),
]
Cached = Annotated[
    bool,
    typer.Option(
        "--cached",
        help="Take tasks whose code and inputs are unchanged from any earlier run; what they open is not watched.",
    ),
]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from", metavar="TASK", help="Execute this task and what follows it on the latest run's values. Repeatable."
    ),
]
Only = Annotated[
    str | None, typer.Option("--only", metavar="TASK", help="Execute this task alone on the latest run's values.")
]


class ReusingCommand(TyperCommand):
    """A command whose `--resume` may stand without a value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        return super().parse_args(ctx, list(_with_latest(args)))


def reuse(resume: str | None, cached: bool, from_tasks: Sequence[str] | None, only: str | None) -> Reuse:  # noqa: FBT001 - typer's
    """Return what the options say together.

    Raises:
        typer.BadParameter: for two that exclude each other.
    """
    chosen = Reuse(resume, cached, tuple(from_tasks or ()), only)
    if len(chosen.given) > 1:
        wrong = f"{' and '.join(chosen.given)} exclude each other; give one of them."
        raise typer.BadParameter(wrong, param_hint=chosen.given[-1])
    return chosen


def _with_latest(args: Sequence[str]) -> Iterator[str]:
    """Yield the arguments; `--resume` at the end, before another option or before a file means the latest run."""
    for arg, after in pairwise([*args, "-"]):
        is_alone = arg == RESUME and (after.startswith("-") or Path(after).exists())
        yield f"{RESUME}={LATEST}" if is_alone else arg
