"""What goes wrong around a history: each has a clear outcome, a message that says what to do, and costs no more."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History
from cloaca_nb.history.journal import FileJournal, segment_path

Open = Callable[..., History]
NOT_WINDOWS = pytest.mark.skipif(os.name == "nt", reason="what POSIX systems limit or allow")

# A child process: its limits and its user are its own. All is loaded before it becomes somebody who may not.
CHILD = """
    import os, resource, sys
    from pathlib import Path
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.core.names import Keys
    from cloaca_nb.core.task import Task
    from cloaca_nb.history.history import History
    from cloaca_nb.runner import DefaultRunner

    def make(context):
        context["much"] = bytes(range(256)) * context["size"]

    def count(context):
        context["n"] = len(context["much"])

    flow = Workflow("flow", [Task("make", make, (), keys=Keys()), Task("count", count, ("make",), keys=Keys())])
    database = sys.argv[1]
    with DefaultRunner(":memory:") as warm:
        warm.execute(flow, {"size": 100})
        warm.resume(workflow=flow)
        warm.history().runs()

    def become_nobody():
        if os.getuid() == 0:
            os.chown(Path(database).parent, 65534, 65534)
            os.setgid(65534)
            os.setuid(65534)

    def forbid_writing():
        for path in sorted(Path(database).parent.rglob("*"), reverse=True):
            path.chmod(0o555 if path.is_dir() else 0o444)
        Path(database).parent.chmod(0o555)

    def allow_writing():
        Path(database).parent.chmod(0o755)
        for path in sorted(Path(database).parent.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def limit_files(size):  # Python ignores the signal that tells of it
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    def execute(runner, size):
        result = runner.execute(flow, {"size": size})
        print(result.status, result.history_error)
        return result
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that any user may pass to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shared")
        path.mkdir()
        Path(folder).chmod(0o755)
        yield path


@pytest.fixture
def in_child(shared: Path) -> Callable[[str], list[str]]:
    """Runs a program in a process of its own, on a history in that folder; gives the lines that it prints."""

    def run(program: str) -> list[str]:
        code = textwrap.dedent(CHILD) + textwrap.dedent(program)
        command = [sys.executable, "-c", code, str(shared / "history.duckdb")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")  # noqa: S603
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@NOT_WINDOWS
def test_full_disk_costs_a_value_and_no_run(in_child: Callable[[str], list[str]]) -> None:
    said = in_child(
        """
        with DefaultRunner(database) as runner:
            execute(runner, 1)
            limit_files(100_000)
            full = execute(runner, 1000)
            limit_files(-1)
            execute(runner, 1001)
            print(list(runner.history().runs()["status"]))
            resumed = runner.resume(full.run_id, workflow=flow)
            print(resumed.tasks["reason"][0])
            print(resumed.final_context["n"])
        """
    )
    assert said[0] == "Completed None"
    assert "Completed A bytes of 256," in said[1]
    assert "can't be written beside the history" in said[1]
    assert said[1].endswith("Free some space, or make the folder writable. The rest of the run was recorded.")
    assert said[2:4] == ["Completed None", "['Completed', 'Completed', 'Completed']"]
    assert said[4].startswith("executed, as 'much' can't be taken from run")
    assert said[5] == "256000"


@NOT_WINDOWS
@pytest.mark.parametrize("durability", ["run", "task"])
def test_disk_that_is_full_in_the_middle_of_a_run(
    durability: str, in_child: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on, its events stay in memory, both warning and result say so; the next run brings all to disk."""
    monkeypatch.setenv("DURABILITY", durability)
    said = in_child(
        """
        import logging
        from cloaca_nb.core.task import Task

        def fill(context):
            recorder = runner.history().recorder()
            recorder.flush()
            (journal,) = (Path(database).with_name("history.duckdb-journals") / "main").glob("*.jsonl")
            limit_files(journal.stat().st_size + 10)

        def write(context):
            print("x" * 100)
            context["n"] = context.get("n", 0) + 1

        def show(runner):
            print(list(runner.history().runs()["status"]))
            print(sorted(runner.history().sql("SELECT text FROM logs")["text"].str.len()))

        tasks = [Task("fill", fill, ()), Task("write", write, ("fill",)), Task("more", write, ("write",))]
        flow = Workflow("flow", tasks)
        logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
        runner = DefaultRunner(database, durability=os.environ["DURABILITY"], echo_output=lambda _: None)
        full = runner.execute(flow)
        print(full.status, full.error, full.final_context.get("n"), full.history_error)
        limit_files(-1)
        again = runner.execute(Workflow("again", [Task("write", write, ())]))
        print(again.status, again.history_error)
        show(runner)
        runner.shutdown()
        with DefaultRunner(database) as runner:
            show(runner)
        """
    )
    *warned, full, again = said[:-4]
    assert all(line.startswith("WARNING History could not keep all of run ") for line in warned)
    assert warned, said
    assert full.startswith("Completed None 2 Not everything could be written to disk: [Errno 27] File too large.")
    assert "It stays in memory and is tried again; free some space" in full
    assert again == "Completed None"
    assert said[-4:] == ["['Completed', 'Completed']", "[101, 101, 101]"] * 2


@NOT_WINDOWS
def test_full_disk_at_the_start_is_told_and_gets_no_fuller(in_child: Callable[[str], list[str]]) -> None:
    said = in_child(
        """
        from cloaca_nb.errors import HistoryError

        limit_files(100_000)  # less than an empty database takes
        for _ in range(2):
            try:
                DefaultRunner(database)
            except HistoryError as error:
                print("can't be written: " in str(error), ". Free some space. " in str(error))
        print(sorted(path.name for path in Path(database).parent.iterdir()))
        """
    )
    assert said == ["True True", "True True", "['history.duckdb-journals']"]


@NOT_WINDOWS
def test_folder_that_becomes_read_only(in_child: Callable[[str], list[str]]) -> None:
    said = in_child(
        """
        become_nobody()
        with DefaultRunner(database) as runner:
            execute(runner, 100)
            forbid_writing()
            execute(runner, 101)
            print(list(runner.history().runs()["status"]))
            allow_writing()
            execute(runner, 102)
        with History.open(database) as history:
            print(list(history.runs()["status"]))
        """
    )
    assert said[0] == "Completed None"
    assert "Permission denied" in said[1]
    assert "make the folder writable" in said[1]
    assert said[2] == "['Completed', 'Completed']"  # the open journal can still be written
    assert said[3:] == ["Completed None", "['Completed', 'Completed', 'Completed']"]


@NOT_WINDOWS
def test_history_that_may_only_be_read(in_child: Callable[[str], list[str]]) -> None:
    said = in_child(
        """
        become_nobody()
        with DefaultRunner(database) as runner:
            execute(runner, 100)
        forbid_writing()
        try:
            DefaultRunner(database)
        except Exception as error:
            print(type(error).__name__, error)
        with History.open(database) as history:
            print(len(history.runs()), history.initial())
        allow_writing()
        """
    )
    assert said[1].startswith("HistoryError Runs can't be recorded in")
    assert "Make its folder writable, or name another place" in said[1]
    assert said[2] == "1 {'size': 100}"


# Begins a run that never ends, and says so once that is in the journal.
ENDLESS = """
    import sys, threading
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.core.task import Task
    from cloaca_nb.runner import DefaultRunner

    def wait(context):
        runner.history().recorder().flush()
        print("begun", file=sys.__stdout__, flush=True)
        threading.Event().wait()

    runner = DefaultRunner(sys.argv[1])
    runner.execute(Workflow("endless", [Task("wait", wait, ())]))
"""


@NOT_WINDOWS
def test_who_may_only_read_sees_whether_a_process_lives(shared: Path, in_child: Callable[[str], list[str]]) -> None:
    look = """
        forbid_writing()
        become_nobody()
        with History.open(database) as history:
            print(list(history.runs()["status"]))
    """
    command = [sys.executable, "-c", textwrap.dedent(ENDLESS), str(shared / "history.duckdb")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a program of ours
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            assert in_child(look) == ["['Running']"]
        finally:
            process.kill()
    assert in_child(look) == ["['Interrupted']"]


@NOT_WINDOWS
@pytest.mark.parametrize("refusal", ["ENOLCK", "EOPNOTSUPP", "ENOSYS"])
def test_drive_without_locks(refusal: str, in_child: Callable[[str], list[str]]) -> None:
    """A run that has begun goes on in its journal; nobody takes turns by a lock that would outlive its process."""
    said = in_child(
        f"""
        import errno, fcntl
        with_locks = fcntl.flock

        def without_locks(file, operation):
            if operation != fcntl.LOCK_UN:
                raise OSError(errno.{refusal}, os.strerror(errno.{refusal}))

        def what_is_said(ask):
            try:
                return ask()
            except Exception as error:
                return error

        fcntl.flock = without_locks
        print(what_is_said(lambda: DefaultRunner(database)))
        fcntl.flock = with_locks
        with DefaultRunner(database) as runner:
            execute(runner, 1)
            fcntl.flock = without_locks
            execute(runner, 1)
            print(what_is_said(runner.history().runs))
            fcntl.flock = with_locks
            print(list(runner.history().runs()["status"]))
        """
    )
    assert said[1:3] + said[4:] == ["Completed None", "Completed None", "['Completed', 'Completed']"]
    for refused in (said[0], said[3]):
        assert "Its drive keeps no locks, and by these processes take turns: name another place" in refused
        assert "or :memory: to keep it only while this process lives" in refused


@NOT_WINDOWS
def test_journals_that_are_deleted_while_in_use(open_history: Open, runs: Any, tmp_path: Path) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    assert len(history.runs()) == 1
    shutil.rmtree(tmp_path / "history.duckdb-journals")
    with pytest.raises(HistoryError, match="was deleted while it was in use"):
        runs.say(history, runs.completed_run("b"))
    runs.say(history, runs.completed_run("c"))
    assert set(history.runs()["run_id"]) == {"a", "b", "c"}
    other = open_history()
    assert set(other.runs()["status"]) == {"Completed"}


@NOT_WINDOWS
def test_process_whose_journal_was_deleted_is_still_alive_for_others(
    open_history: Open, runs: Any, tmp_path: Path
) -> None:
    history, other = open_history(), open_history()
    runs.say(history, runs.completed_run("a")[:1])
    shutil.rmtree(tmp_path / "history.duckdb-journals")
    with pytest.raises(HistoryError, match="was deleted"):
        runs.say(history, runs.completed_run("b")[:1])
    runs.say(history, runs.completed_run("b")[1:4])
    assert list(other.runs()["status"]) == ["Running"]


def test_journal_of_a_process_on_another_machine(open_history: Open, tmp_path: Path) -> None:
    """Its lock is free, so it is over: its runs are there, and those that were open are Interrupted."""
    history = open_history()
    folder = tmp_path / "history.duckdb-journals" / "main"
    folder.mkdir(exist_ok=True)
    header = {
        "schema": 1,
        "processes": {"journal": ["0-far"], "host": ["far"], "pid": [7], "started": [1.0], "python": ["3.12"]},
    }
    run = {"run_id": "x", "workflow": "flow", "version": "v", "kind": "run", "started": 2.0, "tasks": 1}
    rest = {"journal": "0-far", "status": "Running", "ended": None, "error": ""}
    counts = dict.fromkeys(("completed", "failed", "skipped", "cancelled"), 0)
    started = {"runs": {column: [value] for column, value in (run | rest | counts).items()}}
    lines = [*(json.dumps(line, separators=(",", ":")) for line in (header, started)), '{"tasks":torn']
    segment_path(folder, "0-far", 1).write_text("\n".join(lines))
    assert list(history.runs()["status"]) == ["Interrupted"]
    assert list(history.sql("SELECT host, pid FROM processes").iloc[0]) == ["far", 7]


def test_journal_of_a_process_on_another_machine_that_lives(open_history: Open, runs: Any, tmp_path: Path) -> None:
    folder = tmp_path / "history.duckdb-journals" / "main"
    far = FileJournal(folder, lambda _: b'{"schema":1}', lambda: None)
    far.append(b'{"events":{"run_id":["x"]}}')
    far.sync()
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    assert list(history.runs()["run_id"]) == ["a"]
    assert segment_path(folder, far.name, 1).exists()
    far.close()


def test_clock_that_is_set_back_loses_nothing(open_history: Open, runs: Any) -> None:
    """The latest run is the one with the latest time, whenever it was; both are there, and whole."""
    history = open_history()
    runs.say(history, runs.completed_run("after"))
    runs.say(history, runs.completed_run("before", start=runs.START - 86_400))
    assert list(history.runs()["run_id"]) == ["after", "before"]
    assert history.to_resume()[0] == "after"
    assert history.to_resume("before")[0] == "before"
    assert len(history.tasks("before")) == 3


@NOT_WINDOWS
def test_full_disk_keeps_nobody_from_reading(in_child: Callable[[str], list[str]]) -> None:
    said = in_child(
        """
        with DefaultRunner(database) as runner:
            execute(runner, 1)
            runner.history().runs()
            for size in range(2, 40):
                runner.execute(flow, {"size": size})
            limit_files(Path(database).stat().st_size + 4096)
            print(len(runner.history().runs()))
            try:
                runner.history()._store.merge()
            except Exception as error:
                print(type(error).__name__, error)
            limit_files(-1)
            print(len(runner.history().runs()))
        """
    )
    assert said[1] == said[-1] == "39"
    assert said[2].startswith("HistoryError History ")
    assert "Free some space. What was recorded until now is safe" in " ".join(said[2:-1])


@NOT_WINDOWS
def test_database_that_is_deleted_while_in_use(
    open_history: Open, runs: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    assert len(history.runs()) == 1
    (tmp_path / "history.duckdb").unlink()
    runs.say(history, runs.completed_run("b"))
    assert set(history.runs()["run_id"]) == {"a", "b"}  # its own journal still has both
    assert "was deleted. A new one is begun" in caplog.text
    assert len(open_history().runs()) == 2


@NOT_WINDOWS
def test_folder_that_is_deleted_while_in_use(tmp_path: Path, runs: Any) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    with History.open(str(folder / "history.duckdb")) as history:
        runs.say(history, runs.completed_run("a"))
        shutil.rmtree(folder)
        with pytest.raises(HistoryError, match=r"is gone: there is no folder .*project any more"):
            history.runs()
        with pytest.raises(HistoryError, match="was deleted while it was in use"):
            runs.say(history, runs.completed_run("b"))
        runs.say(history, runs.completed_run("c"))
        assert set(history.runs()["run_id"]) == {"b", "c"}


def test_idle_history_holds_its_own_journal_and_one_thread(open_history: Open, runs: Any, tmp_path: Path) -> None:
    """A kernel that does nothing for hours is in nobody's way, and what it has recorded is merged by whoever asks."""
    history = open_history()
    for number in range(3):
        runs.say(history, runs.completed_run(f"run{number}"))
        assert len(history.runs()) == number + 1
    held = [Path(file.path) for file in psutil.Process().open_files() if file.path.startswith(str(tmp_path))]
    assert {path.suffix for path in held} <= {".jsonl", ".lock"}
    assert {path.name.partition(".")[0] for path in held} == {history.recorder()._journal.name}
    assert [thread.name for thread in threading.enumerate()].count("cloaca-history") == 1
    runs.say(history, runs.completed_run("last"))
    assert set(open_history().runs()["run_id"]) == {"run0", "run1", "run2", "last"}
