"""What the events of a run become: rows of the history's tables."""

import weakref
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cloaca_nb.core import events
from cloaca_nb.core.merge import DELETED
from cloaca_nb.core.status import Outcome, Status

__all__ = ["Describe", "Described", "EventRows", "Row"]

Row = tuple[Any, ...]
LARGE: Final = 1 << 16  # bytes from which on digesting a value again would cost
COUNTED: Final = tuple(map(str, (Outcome.COMPLETED, Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED)))
NO_FAILURE: Final = ("", "", "", "")
UNCHANGING: Final = frozenset({bool, bytes, float, int, str, type(None)})
Mark = Callable[[], Any]  # gives back the object that was described, or None when that is gone


class Described(Protocol):
    """What history keeps of a value."""

    @property
    def type(self) -> str:
        """The name of its type."""

    @property
    def digest(self) -> str:
        """Equal for equal values."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def preview(self) -> str:
        """Short JSON or text."""


Describe = Callable[[Any], Described]


@dataclass(slots=True)
class _OpenRun:
    """What must be known of a run until it is over."""

    positions: Mapping[str, int] = field(default_factory=dict)
    first_starts: dict[str, float] = field(default_factory=dict)  # by task that was retried: when it first began
    open_attempts: dict[str, events.AttemptStarted] = field(default_factory=dict)  # by task
    described: dict[int, tuple[Mark, Described]] = field(default_factory=dict)  # by identity
    outcomes: Counter[str] = field(default_factory=Counter)
    setters: dict[tuple[str, str], str] = field(default_factory=dict)  # by key and digest: the task that set it last
    last_setter: dict[str, str | None] = field(default_factory=dict)  # by key


class EventRows:
    """Turns events, given in order, into rows by table; for one thread.

    Args:
        journal: the name of the journal that the rows go to.
        describe: tells type, digest, size and preview of a value.
    """

    def __init__(self, journal: str, describe: Describe) -> None:
        self._journal = journal
        self._describe = describe
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._runs: defaultdict[str, _OpenRun] = defaultdict(_OpenRun)
        self._versions: set[str] = set()
        self._begun: list[events.AttemptStarted] = []
        self._ended: list[Row] = []
        self._translate: dict[type, Callable[[Any], None]] = {
            events.RunStarted: self._run_started,
            events.AttemptStarted: self._attempt_started,
            events.OutputWritten: self._output_written,
            events.ProgressMade: self._progress_made,
            events.AttemptFailed: self._attempt_failed,
            events.TaskFinished: self._task_finished,
            events.RunFinished: self._run_finished,
        }

    def add(self, event: events.Event) -> None:
        """Take in the next event."""
        self._translate[type(event)](event)

    def take(self) -> dict[str, list[Row]]:
        """Return the rows since the last call, by table, each in the order of the table's columns."""
        for event in self._begun:
            if self._runs[event.run_id].open_attempts.get(event.task_id) is event:
                at, run_id, task_id, attempt = event
                self._rows["events"].append((run_id, at, "AttemptStarted", task_id, attempt, None, None, ""))
        self._begun.clear()
        rows, self._rows = self._rows, defaultdict(list)
        if self._ended:
            rows["ended"], self._ended = self._ended, []
        return rows

    def _run_started(self, event: events.RunStarted) -> None:
        workflow = event.workflow
        positions = workflow.positions
        run = self._runs[event.run_id] = _OpenRun(positions)
        self._add_code(workflow)
        identity = (event.run_id, workflow.name, workflow.version, event.kind, event.at, len(positions), self._journal)
        self._rows["runs"].append((*identity, Status.RUNNING, None, "", 0, 0, 0, 0))
        for key, value in event.initial.items():
            self._add_value((event.run_id, "initial", key, None, event.at), self._described(run, value))
            run.last_setter[key] = None

    def _add_code(self, workflow: Any) -> None:
        if workflow.version in self._versions:
            return
        self._versions.add(workflow.version)
        inferred = workflow.inferred_dependencies
        for place, task in enumerate(workflow.tasks):
            edges = (workflow.dependencies[task.id], inferred.get(task.id, ()))
            self._rows["code"].append(
                (workflow.version, place, task.id, *edges, task.source, task.where, task.description)
            )

    def _attempt_started(self, event: events.AttemptStarted) -> None:
        self._runs[event.run_id].open_attempts[event.task_id] = event
        self._begun.append(event)

    def _output_written(self, event: events.OutputWritten) -> None:
        self._rows["logs"].append((event.run_id, event.task_id, event.attempt, event.at, event.stream, event.text))

    def _progress_made(self, event: events.ProgressMade) -> None:
        identity = (event.run_id, event.at, "ProgressMade", event.task_id, event.attempt)
        self._rows["events"].append((*identity, event.done, event.total, event.message))

    def _attempt_failed(self, event: events.AttemptFailed) -> None:
        run = self._runs[event.run_id]
        begun = run.open_attempts.pop(event.task_id, None)
        started = begun.at if begun else None
        if begun and event.retry_in is not None:
            run.first_starts.setdefault(event.task_id, begun.at)
            identity = (event.run_id, event.task_id, event.attempt)
            times = (started, event.at)
            self._rows["attempts"].append((*identity, str(Outcome.FAILED), *times, *event.failure, event.retry_in))
        elif begun:  # the task is over, and will say so
            run.open_attempts[event.task_id] = begun

    def _task_finished(self, event: events.TaskFinished) -> None:
        at, run_id, task_id, attempt, outcome, changes, failure, reason = event
        run = self._runs[run_id]
        begun = run.open_attempts.pop(task_id, None)
        started = begun.at if begun else None
        word = str(outcome)  # a plain string: the enumeration hashes and compares far slower
        run.outcomes[word] += 1
        identity = (run_id, task_id, run.positions.get(task_id), word, attempt)
        times = (run.first_starts.get(task_id, started), started, at)
        self._ended.append((*identity, *times, reason, *(failure or NO_FAILURE)))
        for key, value in changes.items():
            self._add_change(event, run, key, value)

    def _add_change(self, event: events.TaskFinished, run: _OpenRun, key: str, value: Any) -> None:
        run.last_setter[key] = event.task_id
        if value is DELETED:
            self._add_value((event.run_id, "deleted", key, event.task_id, event.at), _ABSENT)
            return
        described = self._described(run, value)
        run.setters[key, described.digest] = event.task_id
        self._add_value((event.run_id, "set", key, event.task_id, event.at), described)

    def _run_finished(self, event: events.RunFinished) -> None:
        run = self._runs.pop(event.run_id, _OpenRun())
        counts = (run.outcomes[word] for word in COUNTED)
        self._rows["endings"].append((event.run_id, event.status, event.at, event.error, *counts))
        for key, value in event.final.items():
            described = self._described(run, value)
            setter = run.setters.get((key, described.digest), run.last_setter.get(key))
            self._add_value((event.run_id, "final", key, setter, event.at), described)

    def _add_value(self, place: tuple[str, str, str, str | None, float], value: Described) -> None:
        self._rows["artifacts"].append((*place, value.type, value.digest, value.size, value.preview, None))

    def _described(self, run: _OpenRun, value: Any) -> Described:
        """Describe a value: only once what can't change, and what is so large that no task changes it in place."""
        remembered = run.described.get(id(value))
        if remembered is not None and remembered[0]() is value:
            return remembered[1]
        described = _describe_anyhow(self._describe, value)
        kind = type(value)
        if kind in UNCHANGING:
            run.described[id(value)] = (lambda: value, described)
        elif described.size >= LARGE and kind.__weakrefoffset__:
            run.described[id(value)] = (weakref.ref(value), described)
        return described


@dataclass(frozen=True, slots=True)
class _Plain:
    """A description made by hand, where a value has none."""

    type: str = ""
    digest: str = ""
    size: int = 0
    preview: str = ""


_ABSENT: Final = _Plain()


def _describe_anyhow(describe: Describe, value: Any) -> Described:
    """Describe a value; one whose own code fails must not cost the run its history."""
    try:
        return describe(value)
    except BaseException as error:  # noqa: BLE001 - any value's own code may raise anything; the row says so
        name = type(value).__qualname__
        return _Plain(name, preview=f"<{name} can't be described: {type(error).__name__}{_text_of(error)}>")


def _text_of(error: BaseException) -> str:
    try:
        return f": {error}"
    except BaseException:  # noqa: BLE001 - nor need its text be to be had
        return ""
