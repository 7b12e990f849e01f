"""`cloaca-nb history diff, logs, sql, prune`: each asks history one question."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def ids(invoke) -> list[str]:
    return [run["run_id"] for run in json.loads(invoke("history", "--json")[1])]


def test_diff_shows_what_differs_between_two_runs(invoke) -> None:
    invoke("run", "flights.py", "--param", "year=2013")
    invoke("run", "broken.py")
    invoke("run", "flights.py", "--param", "year=2014")
    newest, _, oldest = ids(invoke)
    code, stdout, stderr = invoke("history", "diff", oldest)
    assert (code, stderr) == (0, "")
    title, *said = stdout.splitlines()
    assert title.startswith(f"flights: run {oldest[-8:]} (Completed, ")
    assert said == ["", "Initial context", "  year  2013 → 2014"]
    assert invoke("history", "diff")[1] == stdout
    assert "No differences" in invoke("history", "diff", newest, newest)[1]
    code, _, stderr = invoke("history", "diff", "zzz")
    assert code == 1
    assert "has no run 'zzz'" in stderr


def test_logs_are_labelled_by_task_unless_one_is_asked_for(invoke) -> None:
    invoke("run", "flights.py")
    invoke("run", "broken.py")
    _, flights = ids(invoke)
    assert invoke("history", "logs", "--run", flights) == (0, "load | loading 2013 UA\n", "")
    assert invoke("history", "logs", "load", "--run", flights[:13]) == (0, "loading 2013 UA\n", "")
    code, stdout, stderr = invoke("history", "logs", "total", "--run", flights)
    assert (code, stdout) == (0, "")
    assert "Task 'total' wrote nothing in run" in stderr
    code, stdout, _ = invoke("history", "logs")
    assert (code, stdout.splitlines()[-1]) == (0, "load | ValueError: no rows")
    code, _, stderr = invoke("history", "logs", "laod", "--run", flights)
    assert code == 1
    assert "Did you mean 'load'?" in stderr


def test_logs_of_a_run_that_goes_on_are_followed_to_its_end(home: Path) -> None:
    fifo = home / "fifo"
    os.mkfifo(fifo)
    program = [sys.executable, "-m", "cloaca_nb"]
    with subprocess.Popen([*program, "run", "patient.py"], stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - ours
        assert running.stdout is not None
        assert running.stdout.readline() == "waiting\n"
        follow = [*program, "history", "logs", "wait", "--follow"]
        with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as following:  # noqa: S603 - ours
            try:
                assert following.stdout is not None
                assert following.stdout.readline() == "waiting\n"
                fifo.write_text("news")
                assert following.stdout.read() == "got news\n"
            finally:
                following.kill()
                running.kill()
    assert (following.returncode, running.returncode) == (0, 0)


def test_sql_answers_as_a_table_as_csv_and_as_json(invoke) -> None:
    invoke("run", "flights.py")
    query = "SELECT task_id, outcome, NULL AS nothing FROM tasks ORDER BY position"
    code, stdout, stderr = invoke("history", "sql", query)
    assert (code, stderr) == (0, "")
    assert [line.split() for line in stdout.splitlines()] == [
        ["task_id", "outcome", "nothing"],
        ["load", "Completed"],
        ["total", "Completed"],
    ]
    assert invoke("history", "sql", query, "--csv")[1] == "task_id,outcome,nothing\nload,Completed,\ntotal,Completed,\n"
    [load, _] = json.loads(invoke("history", "sql", query, "--json")[1])
    assert load == {"task_id": "load", "outcome": "Completed", "nothing": None}
    many = invoke("history", "sql", "SELECT * FROM range(1003)")
    assert len(many[1].splitlines()) == 1001
    assert many[2] == "… and 3 more rows; --csv and --json print all.\n"


@pytest.mark.parametrize("name", ["diff", "logs", "sql"])
def test_what_a_magic_is_called_is_a_command_too(name: str, invoke) -> None:
    invoke("run", "flights.py")
    invoke("run", "broken.py")
    query = ["FROM run_summary"] if name == "sql" else []
    assert invoke(name, *query) == invoke("history", name, *query)


def test_help_says_whole_sentences(invoke) -> None:
    for group in ((), ("history",)):
        commands = invoke(*group, "--help")[1].partition("Commands:\n")[2].partition("\n\n")[0]
        assert "..." not in commands
        assert all(line.endswith(".") for line in commands.splitlines() if line)


WRONG = [
    # arguments after `history`, exit code, what stderr says
    (["sql", "DELETE FROM runs"], 1, "read by one SELECT at a time"),
    (["sql", "SELECT 1", "--csv", "--json"], 2, "--csv and --json exclude each other"),
    (["prune", "--keep", "moons"], 1, "doesn't say which runs stay"),
    (["prune"], 2, "--keep"),
    (["--json", "diff"], 2, "Give the options after the command: cloaca-nb history diff"),
    (["diff", "--history", "none.duckdb"], 1, "There is no history at none.duckdb"),
    (["diff", "--history", ":memory:"], 1, "There is no history in memory"),
    (["dif"], 2, "No such command 'dif'"),
]


@pytest.mark.parametrize(("args", "code", "said"), WRONG, ids=[" ".join(args) for args, _, _ in WRONG])
def test_kind_errors(args: list[str], code: int, said: str, invoke) -> None:
    invoke("run", "flights.py")
    found = invoke("history", *args)
    assert found[0] == code
    assert said in found[2]
    assert len(ids(invoke)) == 1


def test_prune_says_what_it_would_do_and_does_it(invoke) -> None:
    for script in ("flights.py", "flights.py", "broken.py"):
        invoke("run", script)
    assert invoke("history", "prune", "--keep", "1", "--dry-run")[1].startswith("Would remove 1 run (")
    assert len(ids(invoke)) == 3
    assert invoke("history", "prune", "--keep", "30 days")[1].startswith("Removed 0 runs (0 rows)")
    assert invoke("history", "prune", "--keep", "1")[1].startswith("Removed 1 run (")
    assert len(ids(invoke)) == 2


@pytest.mark.parametrize("command", [["diff"], ["logs"], ["sql", "FROM runs"], ["prune", "--keep", "1"]])
def test_asking_where_there_is_no_history_makes_none(command: list[str], home: Path, invoke) -> None:
    before = sorted(home.iterdir())
    code, stdout, stderr = invoke("history", *command)
    assert (code, stdout) == (1, "")
    assert "`cloaca-nb run` begins one" in stderr
    assert sorted(home.iterdir()) == before


def test_a_run_that_is_named_as_a_command_is_told_where_it_belongs(invoke) -> None:
    code, _, stderr = invoke("history", "01a20020-7d7d")
    assert code == 2
    assert "cloaca-nb history --run 01a20020-7d7d shows its tasks" in " ".join(stderr.split())
    assert "--run" not in invoke("history", "lgos")[2]


def test_logs_of_the_latest_run_say_on_stderr_which_that_is(invoke) -> None:
    invoke("run", "flights.py")
    code, stdout, stderr = invoke("history", "logs")
    assert (code, stdout) == (0, "load | loading 2013 UA\n")
    assert stderr.startswith(f"flights, run {ids(invoke)[0][-8:]}, 20")


def test_history_marks_what_was_taken_and_from_where_a_run_went_on(invoke) -> None:
    invoke("run", "flights.py")
    [first] = ids(invoke)
    invoke("run", "flights.py", "--from", "total")
    newest = invoke("history")[1].splitlines()[1]
    assert "1 + 1 taken" in newest
    assert newest.rstrip().endswith(f"went on with {first[-8:]}")
