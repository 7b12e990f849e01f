"""The command itself: its version, its help, and how it starts."""

import re

import cloaca_nb


def test_the_version_and_the_help(invoke) -> None:
    assert invoke("--version") == (0, f"cloaca-nb {cloaca_nb.__version__}\n", "")
    code, stdout, _ = invoke("--help")
    assert code == 0
    assert all(
        re.search(rf"^  {command} +[A-Z]", stdout, re.MULTILINE)
        for command in ("run", "history", "export", "pack", "inspect")
    )
