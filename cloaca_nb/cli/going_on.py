"""The command that goes on with a run that has failed, for whoever has mended what was wrong."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from cloaca_nb.core.secret import SecretKeys

__all__ = ["advice", "command"]


def command(path: Path, workflow: str | None, history: str | None, var: Iterable[str]) -> list[str]:
    """Return the words that run a path again, as it was run; the values of `--var` are left to the reader."""
    named = [("--workflow", workflow), ("--history", history)]
    options = [word for option, value in named if value is not None for word in (option, value)]
    return ["cloaca-nb", "run", str(path), *options, *_asked_for("--var", (one.partition("=")[0] for one in var))]


def advice(command: Sequence[str], given: Iterable[str], secret: Iterable[str]) -> str:
    """Return what to do after a failed run, as a sentence.

    Args:
        command: what ran it.
        given: the parameters that it was given; history keeps them, but for secrets.
        secret: keys that the workflow declares as such.
    """
    secrets = SecretKeys().and_named(secret)
    again = [*command, *_asked_for("--param", (key for key in given if key in secrets)), "--resume"]
    said = " ".join(word if word.endswith("=…") else shlex.quote(word) for word in again)
    return f"When it is mended, {said} goes on from here."


def _asked_for(option: str, names: Iterable[str]) -> list[str]:
    return [word for name in names for word in (option, f"{name}=…")]
