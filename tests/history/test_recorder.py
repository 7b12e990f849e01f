import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.secret import MASK, Secret
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.errors import HistoryError
from cloaca_nb.history import waiter
from cloaca_nb.history.artifacts import ArtifactStore
from cloaca_nb.history.code import WorkflowCode
from cloaca_nb.history.history import History
from cloaca_nb.history.journal import MemoryJournal
from cloaca_nb.history.opening import NO_CODE
from cloaca_nb.history.recorder import Recorder
from cloaca_nb.history.rows import EventRows
from cloaca_nb.history.waiter import Waiter
from cloaca_nb.values.digests import describe


def rows_of(journal: MemoryJournal) -> EventRows:
    return EventRows(journal.name, describe, ArtifactStore(None).keep, lambda _workflow: NO_CODE)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def recorder(journal: MemoryJournal) -> Iterator[Recorder]:
    made = Recorder(journal, rows_of(journal))
    yield made
    made.close()


def texts(journal: MemoryJournal) -> list[str]:
    return [text for line in map(json.loads, journal.lines()) for text in line.get("logs", {}).get("text", [])]


def output(text: str) -> events.OutputWritten:
    return events.OutputWritten(1.0, "a", "load", 1, "stdout", text)


def begun(**initial: Any) -> events.RunStarted:
    return events.RunStarted(1.0, "a", Workflow("flights", [Task("load", print, dependencies=())]), "run", initial)


def test_everything_observed_is_written_when_sync_returns(recorder: Recorder, journal: MemoryJournal) -> None:
    for number in range(100):
        recorder(output(str(number)))
    recorder.sync()
    assert texts(journal) == [str(number) for number in range(100)]


class HeardJournal(MemoryJournal):
    """Says when a line has come."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = threading.Event()

    def append(self, line: bytes) -> None:
        super().append(line)
        self.heard.set()


def test_events_are_written_without_sync_too() -> None:
    journal = HeardJournal()
    recorder = Recorder(journal, rows_of(journal))
    for text in ("alone", "alone again"):
        recorder(output(text))
        assert journal.heard.wait(20)
        journal.heard.clear()
    assert texts(journal) == ["alone", "alone again"]
    recorder.close()


def test_a_run_is_known_of_before_company_has_come() -> None:
    journal = HeardJournal()
    recorder = Recorder(journal, rows_of(journal), delay=3600)
    recorder(begun())
    assert journal.heard.wait(20)
    (line,) = map(json.loads, journal.lines())
    assert line["runs"]["run_id"] == ["a"]
    recorder.close()


class Held:
    """A value that is digested only when it is let go."""

    def __init__(self) -> None:
        self.met, self.let_go = threading.Event(), threading.Event()

    def __reduce__(self) -> tuple[Any, ...]:
        self.met.set()
        assert self.let_go.wait(20)
        return (str, ("held",))


FLOW = Workflow(
    "flow", [Task("load", print, ()), Task("other", print, ()), Task("clean", print, ("load",)), Task("end", print, ())]
)


def done(task_id: str, run_id: str = "a", **changes: Any) -> events.TaskFinished:
    return events.TaskFinished(1.0, run_id, task_id, 1, Outcome.COMPLETED, changes, None, "")


def over(run_id: str = "a", **final: Any) -> events.RunFinished:
    return events.RunFinished(1.0, run_id, Status.COMPLETED, final, "")


def told(journal: MemoryJournal) -> list[str]:
    """Which ends of tasks and runs the journal has, in order; and of which keys."""
    found = []
    for line in map(json.loads, journal.lines()):
        for table, column in (("ended", "task_id"), ("artifacts", "key"), ("endings", "run_id")):
            found += line.get(table, {}).get(column, [])
        found += [f"{key} has come" for key in line.get("arrivals", {}).get("key", [])]
    return found


def wait_until_told(journal: HeardJournal, what: str) -> None:
    while what not in told(journal):
        assert journal.heard.wait(20)
        journal.heard.clear()


@pytest.fixture
def heard() -> HeardJournal:
    return HeardJournal()


@pytest.fixture
def hearing(heard: HeardJournal) -> Iterator[Recorder]:
    made = Recorder(heard, rows_of(heard))
    yield made
    made.close()


def test_a_task_is_in_the_journal_while_the_value_of_another_is_digested(
    hearing: Recorder, heard: HeardJournal
) -> None:
    value = Held()
    for event in (events.RunStarted(1.0, "a", FLOW, "run", {}), done("load", frame=value), done("other", x=1)):
        hearing(event)
    wait_until_told(heard, "other")
    for event in (done("clean", y=2), done("end", z=3), over(y=2)):
        hearing(event)
    wait_until_told(heard, "end")
    assert value.met.wait(20)
    assert told(heard) == ["other", "x", "end", "z"]
    value.let_go.set()
    hearing.sync()
    assert told(heard)[4:] in (
        ["load", "clean", "frame", "y", "y", "a"],
        ["load", "frame", "clean", "y", "y", "a"],
        ["load", "clean", "frame", "y", "a"],
    )


def test_a_run_is_recorded_while_the_value_that_it_begins_with_is_digested(
    hearing: Recorder, heard: HeardJournal
) -> None:
    value = Held()
    hearing(events.RunStarted(1.0, "a", FLOW, "run", {"year": 2013, "frame": value}))
    hearing(events.AttemptStarted(1.0, "a", "load", 1))
    assert value.met.wait(20)
    for event in (done("load"), done("clean", x=1), over(x=1)):
        hearing(event)
    wait_until_told(heard, "clean")
    assert told(heard) == ["year", "frame", "load", "clean", "x"]
    value.let_go.set()
    hearing.sync("a")
    assert sorted(told(heard)[5:]) == ["a", "frame has come", "x"]


def test_a_value_of_one_run_holds_up_no_other(hearing: Recorder, heard: HeardJournal) -> None:
    value, other = Held(), [0] * 10_000
    hearing(events.RunStarted(1.0, "a", FLOW, "run", {"frame": value}))
    assert value.met.wait(20)
    for event in (events.RunStarted(1.0, "b", FLOW, "run", {}), done("other", "b", much=other), over("b", much=other)):
        hearing(event)
    hearing.sync("b")
    assert told(heard)[1:] == ["other", "much", "much", "b"]
    hearing.flush_light()
    assert not value.let_go.is_set()
    value.let_go.set()
    hearing.sync()
    assert told(heard)[-1] == "frame has come"


def test_who_waits_for_all_that_was_observed_waits_for_large_values_too(hearing: Recorder, heard: HeardJournal) -> None:
    value = Held()
    for event in (events.RunStarted(1.0, "a", FLOW, "run", {}), done("load", frame=value), done("other", x=1)):
        hearing(event)
    waits = threading.Thread(target=hearing.flush)
    waits.start()
    wait_until_told(heard, "other")
    assert waits.is_alive()
    value.let_go.set()
    waits.join(20)
    assert told(heard) == ["other", "x", "load", "frame"]


def test_who_asks_a_history_does_not_wait_for_large_values(tmp_path: Path) -> None:
    with History.open(str(tmp_path / "history.duckdb")) as history:
        value, recorder = Held(), history.recorder()
        for event in (events.RunStarted(1.0, "a", FLOW, "run", {}), done("load", frame=value), done("other", x=1)):
            recorder(event)
        assert value.met.wait(20)
        found = history.tasks("a").set_index("task_id")["outcome"]
        assert (found["load"], found["other"]) == ("Waiting", "Completed")
        assert not value.let_go.is_set()
        value.let_go.set()
        recorder.sync("a")
        assert history.tasks("a").set_index("task_id")["outcome"]["load"] == "Completed"


@contextlib.contextmanager
def said_by(log: logging.Logger, said: threading.Event) -> Iterator[None]:
    """Set `said` when something is logged."""
    handler = logging.Handler()
    handler.emit = lambda _record: said.set()  # type: ignore[method-assign]
    log.addHandler(handler)
    yield
    log.removeHandler(handler)


ODD: list[dict[str, Any]] = [{"changes": 5}, {"failure": 5}, {"task_id": []}, {"reads": 5}]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_event_behind_the_code_of_its_run_keeps_nobody_waiting(
    odd: dict[str, Any], journal: MemoryJournal
) -> None:
    met, let_go = threading.Event(), threading.Event()

    def look(_workflow: Workflow) -> WorkflowCode:
        met.set()
        assert let_go.wait(20)
        return NO_CODE

    recorder = Recorder(journal, EventRows(journal.name, describe, ArtifactStore(None).keep, look))
    recorder(events.RunStarted(1.0, "a", FLOW, "run", {}))
    assert met.wait(20)
    for event in (done("load", x=1)._replace(**odd), done("other", y=2), over()):
        recorder(event)
    recorder.flush_light()
    assert told(journal) == []
    let_go.set()
    with pytest.raises(HistoryError, match="couldn't be recorded"):
        recorder.sync("a")
    recorder.close()
    assert told(journal)[-3:] == ["other", "y", "a"]


def test_what_takes_time_is_told_of_who_waits(
    hearing: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiter, "PULSE", 0.01)
    monkeypatch.setattr(waiter, "PATIENCE", 0.01)
    value, said = Held(), threading.Event()
    hearing(events.RunStarted(1.0, "a", FLOW, "run", {}))
    hearing(done("load", frame=value))
    assert value.met.wait(20)
    waits = threading.Thread(target=hearing.sync, args=("a",))
    with said_by(waiter.logger, said):
        waits.start()
        assert said.wait(20)
    value.let_go.set()
    waits.join(20)
    assert "still writing the values of task 'load' of run a" in caplog.text


def test_what_could_not_be_recorded_of_a_run_is_told_to_who_waits_for_it(hearing: Recorder) -> None:
    for run_id in "ab":
        hearing(events.RunStarted(1.0, run_id, FLOW, "run", {}))
    odd: Any = events.TaskFinished(1.0, "a", "load", 1, Outcome.FAILED, {}, 5, "")  # type: ignore[arg-type]
    hearing(odd)
    hearing.sync("b")
    with pytest.raises(HistoryError, match="couldn't be recorded"):
        hearing.sync("a")
    hearing.sync("a")


def refuse_to_log(_record: logging.LogRecord) -> bool:
    raise OSError("the log is full")


@pytest.mark.parametrize("value", [1, [0] * 10_000], ids=["light", "heavy"])
def test_what_fails_keeps_nobody_waiting_even_if_it_cannot_be_logged(
    value: Any, hearing: Recorder, heard: HeardJournal, request: pytest.FixtureRequest
) -> None:
    log = logging.getLogger("cloaca_nb.history.unrecorded")
    log.addFilter(refuse_to_log)
    request.addfinalizer(lambda: log.removeFilter(refuse_to_log))
    hearing(events.RunStarted(1.0, "a", FLOW, "run", {}))
    odd: Any = events.TaskFinished(1.0, "a", "load", 1, Outcome.FAILED, {"x": value}, 5, "")  # type: ignore[arg-type]
    for event in (odd, done("other", y=value)):
        hearing(event)
    waits = threading.Thread(target=hearing.flush, daemon=True)
    waits.start()
    waits.join(20)
    assert not waits.is_alive()
    assert isinstance(hearing.error, TypeError)
    hearing(done("end", z=value))
    with pytest.raises(HistoryError, match="couldn't be recorded"):
        hearing.sync()
    assert sorted(told(heard)) == ["end", "other", "y", "z"]


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()], ids=repr)
def test_without_another_thread_large_values_are_written_all_the_same(
    error: Exception, hearing: Recorder, heard: HeardJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise error

    monkeypatch.setattr(threading.Thread, "start", refuse)
    for event in (events.RunStarted(1.0, "a", FLOW, "run", {}), done("load", much=[0] * 10_000), done("other", x=1)):
        hearing(event)
    hearing.sync()
    assert sorted(told(heard)) == ["load", "much", "other", "x"]


def test_a_recorder_that_is_closed_writes_large_values_first() -> None:
    journal, value = HeardJournal(), Held()
    recorder = Recorder(journal, rows_of(journal))
    for event in (events.RunStarted(1.0, "a", FLOW, "run", {}), done("load", frame=value), done("other", x=1)):
        recorder(event)
    assert value.met.wait(20)
    closes = threading.Thread(target=recorder.close)
    closes.start()
    value.let_go.set()
    closes.join(20)
    assert sorted(told(journal)) == ["frame", "load", "other", "x"]


def test_many_events_make_few_lines(recorder: Recorder, journal: MemoryJournal) -> None:
    for number in range(1000):
        recorder(output(str(number)))
    recorder.sync()
    assert len(journal.lines()) < 100


def test_events_of_many_threads_are_all_there(recorder: Recorder, journal: MemoryJournal) -> None:
    def observe(name: str) -> None:
        for number in range(300):
            recorder(output(f"{name}{number}"))
        recorder.sync()

    threads = [threading.Thread(target=observe, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in "abcd":
        assert [text for text in texts(journal) if text[0] == name] == [f"{name}{number}" for number in range(300)]


def test_text_that_is_no_unicode_is_kept_readable(recorder: Recorder, journal: MemoryJournal) -> None:
    recorder(output("caf\udce9\n"))
    recorder(output("zero \x00 byte"))
    recorder.sync()
    assert texts(journal) == ["caf\\udce9\n", "zero \x00 byte"]


def test_an_event_that_cannot_be_recorded_is_heard_of(
    recorder: Recorder, journal: MemoryJournal, caplog: pytest.LogCaptureFixture
) -> None:
    recorder(begun())
    odd: Any = events.TaskFinished(1.0, "a", "load", 1, None, None, None, "")  # type: ignore[arg-type]
    recorder(odd)
    recorder(output("next"))
    recorder.flush()
    assert isinstance(recorder.error, AttributeError)
    with pytest.raises(HistoryError, match="couldn't be recorded"):
        recorder.sync()
    recorder.sync()  # said once: later runs are whole
    assert texts(journal) == ["next"]
    assert "TaskFinished" in caplog.text


def test_close_writes_what_is_left_and_ends_the_thread(journal: MemoryJournal) -> None:
    before = threading.active_count()
    recorder = Recorder(journal, rows_of(journal))
    recorder(output("last"))
    recorder.close()
    recorder.close()
    assert texts(journal) == ["last"]
    assert threading.active_count() == before


@pytest.mark.parametrize("use", [lambda recorder: recorder(output("late")), lambda recorder: recorder.sync()])
def test_closed_recorder_says_so(use: Any, journal: MemoryJournal) -> None:
    recorder = Recorder(journal, rows_of(journal))
    recorder.close()
    with pytest.raises(HistoryError, match="closed"):
        use(recorder)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_writes_nothing_to_its_parents_journal(tmp_path: Path) -> None:
    history = History.open(str(tmp_path / "history.duckdb"))
    recorder = history.recorder()
    recorder(output("parent"))
    recorder.sync()
    child = os.fork()
    if child == 0:  # what goes wrong in the child is told by its exit code
        try:
            recorder(output("child"))
        except HistoryError:
            history.close()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    recorder(output("parent again"))
    recorder.sync()
    found = history.sql("SELECT text FROM logs")
    history.close()
    assert list(found["text"]) == ["parent", "parent again"]


def test_observing_costs_little(recorder: Recorder) -> None:
    event = output("x")
    begin = time.thread_time()
    for _ in range(10_000):
        recorder(event)
    assert (time.thread_time() - begin) / 10_000 < 20e-6


class Leaver:
    def __str__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    ("done", "kept"),
    [(10**30, str(10**30)), (Leaver(), "<Leaver>"), (object, str(object)), ("half\ud800", "half\\ud800")],
)
def test_what_is_no_json_is_spelled_and_costs_nothing_else(
    done: Any, kept: str, recorder: Recorder, journal: MemoryJournal
) -> None:
    recorder(events.ProgressMade(1.0, "a", "load", 1, done, 2, "so far\ud800"))
    recorder(output("after"))
    recorder.sync()
    (line,) = map(json.loads, journal.lines())
    assert line["events"]["done"] == [kept]
    assert line["events"]["total"] == [2]
    assert line["events"]["message"] == ["so far\\ud800"]
    recorder(output("later"))
    recorder.sync()
    assert texts(journal) == ["after", "later"]


def record_value(history: History, value: Any) -> None:
    """Have a run recorded that begins with a value."""
    recorder = history.recorder()
    for event in (begun(value=value), events.RunFinished(2.0, "a", Status.COMPLETED, {}, "")):
        recorder(event)
    recorder.sync()


class Curious:
    """A value whose own code does something with the history that is recording it."""

    def __init__(self, do: Callable[[], object]) -> None:
        self.do = do
        self.refusals: list[str] = []

    def __reduce__(self) -> tuple[Any, ...]:
        try:
            self.do()
        except HistoryError as error:
            self.refusals.append(str(error))
        return (str, ("curious",))


ASKED_OF_HISTORY: dict[str, Callable[[History], object]] = {
    "runs": lambda history: history.runs(),
    "prune": lambda history: history.prune(1),
    "sync": lambda history: history.recorder().sync(),
    "close": lambda history: history.close(),
}


@pytest.mark.parametrize("ask", ASKED_OF_HISTORY.values(), ids=ASKED_OF_HISTORY)
def test_a_value_cannot_wait_for_the_history_that_records_it(ask: Callable[[History], object], tmp_path: Path) -> None:
    with History.open(str(tmp_path / "history.duckdb")) as history:
        value = Curious(lambda: ask(history))
        record_value(history, value)
        assert value.refusals
        assert all("would wait for itself" in one for one in value.refusals)
        assert history.runs()["status"].tolist() == ["Completed"]


def test_one_bad_event_after_another_is_reported_once_and_heard_of_each_time(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        recorder(events.AttemptStarted(1.0, [], "load", 1))  # type: ignore[arg-type]  # no run has such an id
        with pytest.raises(HistoryError, match="couldn't be recorded"):
            recorder.sync()
    assert [record.message.partition(" of ")[0] for record in caplog.records] == ["History can't record AttemptStarted"]


def test_an_odd_event_with_a_large_value_keeps_nobody_waiting(recorder: Recorder, journal: MemoryJournal) -> None:
    recorder(events.RunStarted(1.0, "a", FLOW, "run", {}))
    recorder.sync("a")
    for event in (done("load", much=[0] * 10_000)._replace(task_id=[]), done("other", y=2), over()):  # type: ignore[arg-type]
        recorder(event)
    with pytest.raises(HistoryError, match="couldn't be recorded"):
        recorder.sync("a")
    assert told(journal)[-3:] == ["other", "y", "a"]


def test_what_is_written_may_not_wait_for_the_history_either(recorder: Recorder, journal: MemoryJournal) -> None:
    class Asking:
        def __str__(self) -> str:
            try:
                recorder.sync()
            except HistoryError as error:
                return str(error)
            return "it waited"

    recorder(events.ProgressMade(1.0, "a", "load", 1, 1, 2, Asking()))  # type: ignore[arg-type]
    recorder.sync()
    (line,) = map(json.loads, journal.lines())
    assert "would wait for itself" in line["events"]["message"][0]


class InterruptedWait(Waiter):
    """What becomes of an interrupt that comes just as `Condition.wait` takes its lock again."""

    def wait(self, _timeout: float | None = None) -> bool:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("release unlocked lock")


def test_an_interrupt_of_the_wait_is_one_at_every_moment() -> None:
    with pytest.raises(KeyboardInterrupt):
        InterruptedWait("a").wait_for(threading.current_thread(), str)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_no_thread_of_a_forked_child_writes_what_its_parent_is_about_to(journal: MemoryJournal) -> None:
    recorder = Recorder(journal, rows_of(journal))
    refused: list[str] = []

    def ask() -> None:
        try:
            recorder.flush_light()
        except HistoryError as error:
            refused.append(str(error))

    child = os.fork()
    if child == 0:  # what goes wrong in the child is told by its exit code
        recorder._rows.add(output("on its way"))
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join(20)
        os._exit(0 if refused and not journal.lines() else 1)
    assert os.waitpid(child, 0)[1] == 0
    recorder.close()


def test_of_a_secret_that_is_to_come_it_is_known_that_it_is_one(tmp_path: Path) -> None:
    with History.open(str(tmp_path / "history.duckdb")) as history:
        value, recorder = Held(), history.recorder()
        recorder(events.RunStarted(1.0, "a", FLOW, "run", {"key": Secret(value)}))
        assert value.met.wait(20)
        shown = history.context("a")
        assert (shown["type"][0].rpartition(".")[2], shown["value"][0]) == ("Held", MASK)
        with pytest.raises(HistoryError, match="began with the secret 'key'"):
            history.initial("a")
        assert history.initial("a", secrets={"key": 1}) == {"key": 1}
        value.let_go.set()
