import asyncio
import hashlib
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest

from cloaca_nb.core import events
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import CodeFingerprint
from cloaca_nb.errors import ConfigurationError, DefinitionError, HistoryError
from cloaca_nb.history.code import _fingerprint_of
from cloaca_nb.history.history import History
from cloaca_nb.history.journal import SEGMENT_SIZE

Open = Callable[..., History]


def test_importing_loads_the_standard_library_only() -> None:
    code = (
        "import cloaca_nb.history.history, cloaca_nb.history.tables, sys;"
        "libraries = ('duckdb', 'pandas', 'pyarrow', 'orjson', 'filelock', 'numpy');"
        "print([name for name in libraries if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a program of this file
    assert done.stdout == "[]\n"


def test_runs_newest_first(history: History, runs: Any) -> None:
    runs.say(history, runs.completed_run("0198-a", start=100))
    runs.say(history, runs.failed_run("0199-b", start=200))
    frame = history.runs()
    assert list(frame["run_id"]) == ["0199-b", "0198-a"]
    assert list(frame["status"]) == ["Failed", "Completed"]
    assert list(frame["duration"]) == [3.5, 6.0]
    assert list(frame["tasks"]) == [3, 3]
    assert list(frame["failed"]) == [1, 0]
    assert list(frame["error"]) == ["clean: ValueError: no rows", ""]
    assert str(frame["started"].dtype) == "datetime64[us]"
    assert str(frame["started"][1]) == "1970-01-01 00:01:40"
    assert list(frame["version"]) == [runs.define().version] * 2
    assert len(history.runs(1)) == 1


def test_tasks_of_a_failed_run(history: History, runs: Any) -> None:
    runs.say(history, runs.failed_run("a", start=100))
    frame = history.tasks()
    assert list(frame["task_id"]) == ["load", "clean", "report"]
    assert list(frame["outcome"]) == ["Completed", "Failed", "Skipped"]
    assert list(frame["attempts"]) == [1, 1, 0]
    assert list(frame["reason"]) == ["", "", "because clean failed"]
    assert frame["error"][1] == "ValueError: no rows"
    assert frame["duration"][0] == 0.5
    assert frame["started"].isna().tolist() == [False, False, True]


def test_attempts(history: History, runs: Any) -> None:
    runs.say(history, runs.completed_run("a"))
    frame = history.attempts()
    found = list(zip(frame["task_id"], frame["attempt"], frame["outcome"], strict=True))
    assert found == [
        ("load", 1, "Completed"),
        ("clean", 1, "Failed"),
        ("clean", 2, "Completed"),
        ("report", 1, "Completed"),
    ]
    assert frame["location"][1] == "Cell In[3], line 2, in clean"


def test_logs(history: History, runs: Any) -> None:
    runs.say(history, runs.completed_run("a"))
    assert list(history.logs()["text"]) == ["3 rows\n", "careful\n"]
    assert list(history.logs("load")["stream"]) == ["stdout", "stderr"]
    assert history.logs("clean").empty
    with pytest.raises(HistoryError, match="Did you mean 'clean'"):
        history.logs("claen")


def test_context_can_be_compared_between_runs(history: History, runs: Any) -> None:
    for run_id, rows in (("a", 3), ("b", 3), ("c", 4)):
        runs.say(history, runs.completed_run(run_id, final=rows))
    contexts = {run_id: history.context(run_id).set_index("key") for run_id in "abc"}
    assert list(contexts["a"].index) == ["year", "x", "rows"]
    assert contexts["a"]["set_by"].fillna("").to_dict() == {"year": "", "x": "clean", "rows": "report"}
    assert contexts["c"]["value"]["rows"] == "4"
    assert contexts["a"]["digest"].equals(contexts["b"]["digest"])
    assert (contexts["a"]["digest"] != contexts["c"]["digest"]).to_dict() == {"year": False, "x": False, "rows": True}


def test_open_run_is_seen_as_it_stands(history: History, runs: Any) -> None:
    runs.say(history, runs.completed_run("a")[:6])
    assert list(history.tasks("a")["outcome"]) == ["Completed", "Running", "Waiting"]
    assert history.runs()["status"][0] == "Running"
    assert dict(zip(history.context()["key"], history.context()["value"], strict=True)) == {
        "year": "2013",
        "raw": "[1]",
        "rows": "3",
    }
    runs.say(history, runs.completed_run("a")[6:7])
    assert list(history.tasks("a")["outcome"]) == ["Completed", "Retrying", "Waiting"]
    runs.say(history, runs.completed_run("a")[7:])
    assert list(history.tasks("a")["outcome"]) == ["Completed"] * 3
    assert list(history.context()["key"]) == ["year", "x", "rows"]


def said_out_of_order(run_id: str, runs: Any) -> list[events.Event]:
    """A run that goes on, of which a task's end is told after that of another one which came later."""
    flow = runs.define()
    ends = [(20.0, "clean", "second"), (10.0, "load", "first")]
    return [
        events.RunStarted(1.0, run_id, flow, "run", {}),
        *(events.TaskFinished(at, run_id, task, 1, Outcome.COMPLETED, {"k": k}, None, "") for at, task, k in ends),
    ]


def test_open_run_is_seen_with_the_value_that_was_set_last_whichever_was_written_last(
    history: History, runs: Any
) -> None:
    said = said_out_of_order("a", runs)
    runs.say(history, said)
    assert history.context().loc[0, ["value", "set_by"]].tolist() == ['"second"', "clean"]
    runs.say(history, [event._replace(run_id="b") for event in (said[0], said[2], said[1])])
    assert history.diff("a", "b").final == ()


def test_without_a_thread_to_merge_with_a_full_journal_goes_on(
    open_history: Callable[..., History], runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = open_history()
    recorder = history.recorder()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        recorder(events.OutputWritten(1.0, "a", "load", 1, "stdout", "x" * SEGMENT_SIZE))
        recorder.sync()
        runs.say(history, runs.completed_run("a"))
    assert history.runs()["status"].tolist() == ["Completed"]
    history.close()


def test_latest_run_is_no_try(history: History, runs: Any) -> None:
    runs.say(history, runs.completed_run("run", start=100))
    runs.say(history, runs.completed_run("try", start=200, kind="try"))
    assert list(history.runs()["kind"]) == ["try", "run"]
    assert str(history.tasks()["started"][0]) == "1970-01-01 00:01:40.500000"


RUNS = [  # what is asked for, what is found, what the error says
    ("0198-aaaa", "0198-aaaa", None),
    ("0198-a", "0198-aaaa", None),
    ("0198", "0198", None),
    ("019", None, "several runs: 0198, 0198-aaaa"),
    ("0198-aaab", None, "Did you mean '0198-aaaa'?"),
    ("zzz", None, "runs() or `cloaca-nb history` lists them"),
]


@pytest.mark.parametrize(("asked", "found", "error"), RUNS)
def test_run_is_named_by_its_id_or_a_beginning(
    asked: str, found: str | None, error: str | None, history: History, runs: Any
) -> None:
    for run_id in ("0198", "0198-aaaa"):
        runs.say(history, [runs.completed_run(run_id)[0]])
    if error is None:
        assert history.resolve(asked) == found
    else:
        with pytest.raises(HistoryError) as raised:
            history.tasks(asked)
        assert error in str(raised.value)


def test_history_without_a_run(history: History) -> None:
    assert history.runs().empty
    with pytest.raises(HistoryError, match="no run yet"):
        history.tasks()


def test_sql(history: History, runs: Any, tmp_path: Path) -> None:
    runs.say(history, runs.completed_run("a"))
    assert history.sql("SELECT count(*) AS n FROM tasks")["n"][0] == 3
    assert list(history.sql("FROM task_statistics ORDER BY task_id")["task_id"]) == ["clean", "load", "report"]
    assert "run_id" in list(history.sql("DESCRIBE runs")["column_name"])
    pivot = "PIVOT tasks ON outcome USING count(*)"
    for query in (f"{pivot} GROUP BY run_id", f"FROM ({pivot})"):
        assert history.sql(query)["Completed"].sum() == 3
    history.sql(f"COPY runs TO '{tmp_path}/runs.csv'")
    assert "Completed" in (tmp_path / "runs.csv").read_text()


def test_what_a_task_usually_takes_is_told_of_its_latest_runs(history):
    made = "'w' AS workflow, 'run' AS kind, make_timestamp(n * 1000000) AS started, 'Completed' AS status"
    took = "'a' AS task_id, 'Completed' AS outcome, make_timestamp(n * 1000000) AS started"
    ended = "make_timestamp(n * 1000000 + if(n < 350, 9, 1) * 1000) AS ended"
    history._store.change(
        lambda connection: connection.execute(
            f"INSERT INTO runs BY NAME SELECT 'run' || n AS run_id, {made} FROM range(450) AS _(n);"  # noqa: S608 - ours
            f"INSERT INTO tasks BY NAME SELECT 'run' || n AS run_id, {took}, {ended} FROM range(450) AS _(n)"
        )
    )
    (row,) = history.sql("FROM task_statistics").to_dict("records")
    assert (row["runs"], row["p50"], row["p95"]) == (100, 0.001, 0.001)


WRITES = [
    "DELETE FROM runs",
    "DROP TABLE tasks",
    "UPDATE runs SET status = 'x'",
    "SELECT 1; DELETE FROM runs",
    "COMMIT",
    "USE memory",
    "EXPLAIN ANALYZE DELETE FROM runs",
    "COPY runs FROM 'nowhere.csv'",
    "CREATE TABLE wide AS FROM (PIVOT tasks ON outcome USING count(*))",
    "INSERT INTO runs BY NAME FROM (PIVOT tasks ON outcome USING count(*) GROUP BY run_id)",
]


@pytest.mark.parametrize("query", [*WRITES, "", "SELEC 1", "SELECT * FROM rnus"])
def test_sql_that_writes_or_is_wrong_is_refused(query: str, history: History, runs: Any) -> None:
    runs.say(history, runs.completed_run("a"))
    with pytest.raises(HistoryError):
        history.sql(query)
    assert list(history.runs()["status"]) == ["Completed"]


def test_history_lasts(open_history: Open, runs: Any) -> None:
    first = open_history()
    runs.say(first, runs.completed_run("a"))
    first.close()
    assert list(open_history().runs()["run_id"]) == ["a"]


def test_after_close_the_database_holds_everything_and_nothing_else_remains(
    open_history: Open, runs: Any, tmp_path: Path
) -> None:
    threads = threading.active_count()
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    history.close()
    history.close()
    assert threading.active_count() == threads
    assert list(tmp_path.rglob("*.jsonl")) == []
    with duckdb.connect(str(tmp_path / "history.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT status FROM runs").fetchall() == [("Completed",)]


@pytest.mark.parametrize("use", [lambda h: h.runs(), lambda h: h.recorder(), lambda h: h.sql("SELECT 1")])
def test_closed_history_says_so(use: Any, history: History) -> None:
    history.close()
    with pytest.raises(HistoryError, match="closed"):
        use(history)


def test_run_that_is_open_at_close_is_interrupted(open_history: Open, runs: Any) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a")[:6])
    history.close()
    reader = open_history()
    assert list(reader.runs()["status"]) == ["Interrupted"]
    assert list(reader.tasks("a")["outcome"]) == ["Completed", "Interrupted", "Waiting"]


def test_two_histories_of_one_file_see_each_other(open_history: Open, runs: Any) -> None:
    one, other = open_history(), open_history()
    runs.say(one, runs.completed_run("a"))
    runs.say(other, runs.completed_run("b"))
    assert set(one.runs()["run_id"]) == set(other.runs()["run_id"]) == {"a", "b"}


def test_long_journal_is_merged_in_the_background(open_history: Open, runs: Any, tmp_path: Path) -> None:
    history = open_history()
    history._open_journal = partial(history._open_journal, segment_size=2000)
    for number in range(20):
        runs.say(history, runs.completed_run(f"r{number:02d}"))
        if history._merging is not None:
            history._merging.join()
    assert len(list(tmp_path.rglob("*.jsonl"))) < 3
    assert list(history.sql("SELECT run_id FROM runs ORDER BY run_id")["run_id"]) == [f"r{n:02d}" for n in range(20)]


def test_schemas_are_kept_apart(open_history: Open, runs: Any) -> None:
    mine, yours = open_history(schema="mine"), open_history(schema="1_yours")
    runs.say(mine, runs.completed_run("a"))
    runs.say(yours, runs.completed_run("b"))
    assert list(mine.runs()["run_id"]) == ["a"]
    assert list(yours.runs()["run_id"]) == ["b"]
    assert open_history().runs().empty


@pytest.mark.parametrize(("name", "text"), [("", "cannot be empty"), ("a-b", "alphanumeric"), ('"; DROP', "alphanum")])
def test_schema_name(name: str, text: str) -> None:
    with pytest.raises(DefinitionError, match=text):
        History.open(":memory:", schema=name)


def test_folder_of_its_own_is_kept_out_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLOACA_HISTORY", raising=False)
    with History.open() as history:
        assert history.location.path == tmp_path / ".cloaca" / "history.duckdb"
    assert (tmp_path / ".cloaca" / ".gitignore").read_text() == "*\n"
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    with History.open() as history:
        assert history.location.path == tmp_path / ".cloaca" / "history.duckdb"


def test_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with History.open(":memory:") as history:
        runs.say(history, runs.completed_run("a"))
        assert len(history.runs()) == 1
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="there is no folder"):
        History.open(str(tmp_path / "absent" / "history.duckdb"))


def test_unsupported_url() -> None:
    with pytest.raises(ConfigurationError, match="kept in DuckDB"):
        History.open("postgresql://host/db")


def _text(path: Path) -> None:
    path.write_text("not a database\n" * 500)


def _empty(path: Path) -> None:
    path.touch()


def _sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (run_id TEXT)")
    connection.close()


def _other_tables(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE runs (run_id INTEGER)")


def _newer(path: Path) -> None:
    History.open(str(path)).close()
    shutil.rmtree(f"{path}-journals")
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE schema_version SET version = 1000")


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("make", [_text, _empty, _sqlite, _other_tables, _newer])
def test_file_of_something_else_is_refused_and_not_touched(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    make(path)
    before = _contents(tmp_path)
    with pytest.raises(HistoryError) as error:
        History.open(str(path))
    assert str(path) in str(error.value)
    assert _contents(tmp_path) == before


def test_database_made_by_others_but_empty_is_taken(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "history.duckdb")) as connection:
        connection.execute("SELECT 1")
    with History.open(str(tmp_path / "history.duckdb")) as history:
        assert history.runs().empty


def test_database_deleted_while_in_use_is_begun_anew(open_history: Open, runs: Any, tmp_path: Path) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    assert len(history.runs()) == 1
    (tmp_path / "history.duckdb").unlink()
    runs.say(history, runs.completed_run("b"))
    assert "b" in set(history.runs()["run_id"])


class Unfathomable:
    """What tells fingerprints, where that fails."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def of(self, _task: Task) -> CodeFingerprint:
        raise self._error


@pytest.mark.parametrize("kind", [AttributeError, SystemExit, asyncio.CancelledError])
def test_code_that_cannot_be_looked_at_costs_no_run_its_history(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    odd = Task(f"load {kind.__name__}", print)
    for _ in range(3):
        found = _fingerprint_of(odd, partial(Unfathomable(kind("no partition")).of, odd))
        assert found.untracked == (f"its code can't be looked at ({kind.__name__}: no partition).",)
    assert [odd.id in record.message for record in caplog.records] == [True]


def test_who_interrupts_a_look_at_code_is_heard() -> None:
    odd = Task("load", print)
    with pytest.raises(KeyboardInterrupt):
        _fingerprint_of(odd, partial(Unfathomable(KeyboardInterrupt()).of, odd))


class Asking:
    """A value that asks the history something while it is given back."""

    histories: ClassVar[list[History]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return (_ask, ())


def _ask() -> list[object]:
    return [history.runs() for history in Asking.histories]


def test_a_value_that_is_given_back_cannot_ask_the_history_meanwhile(
    history: History, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = runs.completed_run("a")
    runs.say(history, [first._replace(initial={"year": Asking()}), *others])
    monkeypatch.setattr(Asking, "histories", [history])
    with pytest.raises(HistoryError, match="that value's own code .* asks it something else"):
        history.initial("a")
    assert len(history.runs()) == 1
