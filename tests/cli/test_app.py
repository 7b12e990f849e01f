"""The command itself: its version, its help, and how it starts."""

import re

import pytest

import cloaca_nb
from cloaca_nb.cli.examples import EXAMPLES


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_help_of_each_command_shows_how_it_is_used(command: str, invoke) -> None:
    within = ["history"] if command in {"diff", "logs", "sql", "prune"} else []
    code, stdout, _ = invoke(*within, command, "--help")
    assert code == 0
    assert [line.strip() for line in stdout.partition("Examples:")[2].splitlines() if line] == list(EXAMPLES[command])


def test_the_version_and_the_help(invoke) -> None:
    assert invoke("--version") == (0, f"cloaca-nb {cloaca_nb.__version__}\n", "")
    code, stdout, _ = invoke("--help")
    assert code == 0
    assert all(
        re.search(rf"^  {command} +[A-Z]", stdout, re.MULTILINE)
        for command in ("run", "history", "export", "pack", "inspect")
    )
