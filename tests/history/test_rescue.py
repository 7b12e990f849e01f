"""What becomes of a history whose database isn't what was written any more."""

import logging
import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History
from cloaca_nb.history.rescue import is_damage

Open = Callable[..., History]
BLOCK = 262_144  # bytes of a block in DuckDB's file, after three headers
HEADERS = 12_288


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(start).randbytes(length))  # noqa: S311 - the same damage each time


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "history.duckdb"


def fill(history: History, runs: Any, count: int = 20) -> None:
    for number in range(count):
        runs.say(history, runs.completed_run(f"run-{number:02d}"))
    history.close()


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: overwrite(path, 0, 4096),
        lambda path: overwrite(path, 4096, 8192),
        lambda path: overwrite(path, HEADERS + 1000, 64),
        lambda path: path.write_bytes(path.read_bytes()[: HEADERS + 100]),
        lambda path: path.write_bytes(b""),
    ],
    ids=["file header", "headers", "first block", "cut", "empty"],
)
def test_a_damaged_database_is_moved_aside_and_history_goes_on(
    harm: Callable[[Path], Any], open_history: Open, runs: Any, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(open_history(), runs)
    harm(database)
    damaged = database.read_bytes()
    with caplog.at_level(logging.ERROR):
        history = open_history()
        assert history.runs().empty
    (aside,) = database.parent.glob("history.duckdb.damaged-*")
    assert aside.read_bytes() == damaged
    assert "was damaged" in caplog.text
    assert str(aside) in caplog.text
    runs.say(history, runs.completed_run("new"))
    history.close()
    assert list(open_history().runs()["run_id"]) == ["new"]


def test_what_can_be_read_of_a_damaged_database_is_kept(
    open_history: Open, runs: Any, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The second block holds the values: they are lost, and all the rest is there; nothing is there twice."""
    fill(open_history(), runs)
    overwrite(database, HEADERS + BLOCK + 1000, 64)
    history = open_history()
    with caplog.at_level(logging.ERROR):
        runs.say(history, runs.completed_run("new"))
        history.close()
    history = open_history()
    found = history.runs()
    assert found["run_id"].is_unique
    assert len(found) == 21
    assert len(history.tasks("run-03")) == 3
    assert "what can't be read of it: artifacts" in caplog.text
    assert len(list(database.parent.glob("history.duckdb.damaged-????????"))) == 1


def test_histories_of_other_schemas_are_kept_as_well(open_history: Open, runs: Any, database: Path) -> None:
    fill(open_history(schema="mine"), runs, 2)
    fill(open_history(), runs)
    overwrite(database, HEADERS + BLOCK * 3 + 1000, 64)
    history = open_history()
    runs.say(history, runs.completed_run("new"))
    history.close()
    assert len(open_history().runs()) == 21
    assert len(open_history(schema="mine").runs()) == 2
    assert len(open_history(schema="mine").sql("FROM task_summary")) == 6


WRITES_A_LOG = """
    import duckdb, os, sys
    connection = duckdb.connect(sys.argv[1])
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    connection.execute("INSERT INTO main.runs (run_id) SELECT 'x' || i FROM range(1000) AS t(i)")
    os._exit(1)
"""


def test_a_damaged_log_of_writes_costs_what_is_in_it(
    open_history: Open, runs: Any, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(open_history(), runs)
    subprocess.run([sys.executable, "-c", textwrap.dedent(WRITES_A_LOG), str(database)], check=False)  # noqa: S603
    log = database.with_name("history.duckdb.wal")
    overwrite(log, log.stat().st_size // 2, 50)
    with caplog.at_level(logging.ERROR):
        history = open_history()
        assert len(history.runs()) == 20
    assert len(list(database.parent.glob("history.duckdb.wal.damaged-*"))) == 1
    assert "all that was written to the database before is there" in caplog.text
    runs.say(history, runs.completed_run("new"))
    assert len(history.runs()) == 21


def test_a_file_that_was_never_ours_is_not_moved(open_history: Open, runs: Any, database: Path) -> None:
    fill(open_history(), runs, 1)
    other = database.with_name("other")
    other.write_bytes(b"somebody else's")
    other.replace(database)
    with pytest.raises(HistoryError, match=r"not a valid DuckDB database.*name another one for the history"):
        open_history().runs()
    assert database.read_bytes() == b"somebody else's"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a file that is open from being deleted")
def test_a_database_that_is_deleted_while_it_is_in_use_is_made_anew(
    open_history: Open, runs: Any, database: Path
) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    assert len(history.runs()) == 1
    database.unlink()
    runs.say(history, runs.completed_run("b"))
    assert set(history.runs()["run_id"]) == {"a", "b"}  # the journal of a process that lives still has both
    assert len(history.tasks("a")) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Corrupt database file: computed checksum 1 does not match", True),
        ("IO Error: Could not write file: No space left on device", False),
        ("Out of Memory Error: failed to allocate", False),
        ('IO Error: Could not set lock on file "x"', False),
    ],
)
def test_what_is_damage(text: str, *, expected: bool) -> None:
    assert is_damage(RuntimeError(text)) is expected
