"""What a person is told to type: it runs as it stands."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.history.history import History
from cloaca_nb.history.location import parse_url
from cloaca_nb.history.pruning_lines import pruning_lines

CASES = [
    # where the history lies, its schema, in Python, in a shell
    (None, None, "history().prune(keep=1)", "cloaca-nb history prune --keep 1"),
    ("it's here.duckdb", None, "it's here.duckdb\").prune(keep=1)", "here.duckdb'"),
    ("a.duckdb", "tests", "a.duckdb', schema='tests').prune(keep=1)", None),
]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("url", "schema", "python", "shell"), CASES, ids=["usual", "named", "schema"])
def test_each_line_prunes_that_history(
    url: str | None,
    schema: str | None,
    python: str,
    shell: str | None,
    runs: Any,
) -> None:
    with History.open(url, schema=schema) as history:
        for number in range(3):
            runs.say(history, runs.completed_run(f"run{number}"))
        said = pruning_lines(history.location, schema, 1)
        in_python, _, in_shell = said.partition(", or in a shell: ")
        assert in_python.endswith(python)
        exec(in_python, {})  # noqa: S102 - our own text
        assert list(history.runs()["run_id"]) == ["run2"]
        if shell is None:
            assert in_shell == ""
            return
        assert in_shell.endswith(shell)
        runs.say(history, runs.completed_run("run3"))
        command = [sys.executable, "-m", "cloaca_nb", *shlex.split(in_shell)[1:]]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own text
        assert list(history.runs()["run_id"]) == ["run3"]


def test_a_history_that_is_set_elsewhere_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOACA_HISTORY", str(tmp_path / "elsewhere.duckdb"))
    location = parse_url(None, environ={"CLOACA_HISTORY": str(tmp_path / "elsewhere.duckdb")}, cwd=tmp_path)
    assert "cloaca_nb.history().prune(keep=20)" in pruning_lines(location, None, 20)
