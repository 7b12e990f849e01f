"""A run that is named where a command of `cloaca-nb history` stands: the answer is the option that takes it."""

import re
from typing import Any, Final

from typer.core import TyperGroup

__all__ = ["HistoryGroup"]

RUN: Final = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")  # an id, a beginning of it, or the short name


class HistoryGroup(TyperGroup):
    """The commands on past runs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the arguments begin with."""
        if self.get_command(ctx, args[0]) is None and RUN.fullmatch(args[0]):
            ctx.fail(
                f"No such command {args[0]!r}. If it is a run: {ctx.command_path} --run {args[0]} shows its tasks."
            )
        return super().resolve_command(ctx, args)
