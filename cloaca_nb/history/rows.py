"""What the events of a run become: rows of the history's tables."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.secret import Secret
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.declare.fingerprint import CodeFingerprint
from cloaca_nb.history.accounts import NONE_READY, Account, Accounts, Describe, Described, Keep, Ready
from cloaca_nb.history.code import WorkflowCode
from cloaca_nb.history.secret_digest import SecretDigest
from cloaca_nb.history.weight import is_light

if TYPE_CHECKING:
    from cloaca_nb.errors import HistoryError

__all__ = ["EventRows", "Fingerprint", "Row"]

Row = tuple[Any, ...]
Fingerprint = Callable[[Workflow], WorkflowCode]
COUNTED: Final = tuple(map(str, (Outcome.COMPLETED, Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED)))
NO_FAILURE: Final = ("", "", "", "")
NOTHING_READ: Final[tuple[tuple[str, ...], ...]] = ((), (), ())
NO_CODE: Final = WorkflowCode({}, lambda _task_id, _code: CodeFingerprint("", {}))
NO_VALUE: Final = Account()


@dataclass(slots=True)
class _OpenRun:
    """What must be known of a run until it is over."""

    accounts: Accounts
    workflow: Workflow
    code: WorkflowCode = NO_CODE
    first_starts: dict[str, float] = field(default_factory=dict)  # by task that was retried: when it first began
    open_attempts: dict[str, events.AttemptStarted] = field(default_factory=dict)  # by task
    outcomes: dict[str, int] = field(default_factory=dict)
    setters: dict[tuple[str, str], str] = field(default_factory=dict)  # by key and digest: the task that set it last
    last_setter: dict[str, str | None] = field(default_factory=dict)  # by key


class EventRows:
    """Turns events, given in order, into rows by table; for one thread, but for `make_ready`.

    Args:
        journal: the name of the journal that the rows go to.
        describe: tells type, digest, size and preview of a value.
        keep: keeps a value, so that it can be read back.
        fingerprint: tells what the code of a workflow is, as of now.
        secret_digest: see `Accounts`.
    """

    def __init__(
        self,
        journal: str,
        describe: Describe,
        keep: Keep,
        fingerprint: Fingerprint,
        secret_digest: Callable[[str], str] = SecretDigest(None),  # noqa: B008 - it has a key of its own
    ) -> None:
        self._journal = journal
        self._accounts = partial(Accounts, describe, keep, secret_digest)
        self._fingerprint = fingerprint
        self.error: HistoryError | None = None  # why a value couldn't be kept; to be set back by who has taken note
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._runs: dict[str, _OpenRun] = {}  # that were said to have begun: an interrupt may come just before
        self._versions: set[str] = set()
        self._fingerprints: set[str] = set()
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

    def add(self, event: events.Event, ready: Mapping[int, Ready] = NONE_READY) -> None:
        """Take in the next event.

        Args:
            event: as it was said.
            ready: what `make_ready` has made of it.
        """
        if not ready:
            self._translate[type(event)](event)
            return
        accounts = self._runs[event.run_id].accounts
        accounts.ready = ready
        try:
            self._translate[type(event)](event)
        finally:
            accounts.ready = NONE_READY

    def is_heavy(self, event: events.Event) -> bool:
        """Whether it may take time to take in an event, as values have to be digested and written."""
        run = self._runs.get(event.run_id)
        if type(event) is events.TaskFinished:
            return (bool(event.changes) and not all(map(is_light, event.changes.values()))) or (
                bool(event.reads) and not all(_is_at_hand(value, run) for value in event.reads.values())
            )
        inherited = _inherited(event)
        return bool(inherited) and not all(_is_at_hand(value, run) for value in inherited.values())

    def make_ready(self, event: events.Event) -> dict[int, Ready]:
        """Digest and write the values of an event while another thread takes in other ones; never raises."""
        if type(event) is events.RunStarted:
            self._runs[event.run_id] = _OpenRun(self._accounts(), event.workflow)
        run = self._runs.get(event.run_id)
        if run is None:
            return {}
        changes, reads = (event.changes, event.reads) if type(event) is events.TaskFinished else ({}, {})
        accounts, ready = run.accounts, dict[int, Ready]()
        for value in changes.values():
            if not is_light(value):
                ready[id(value)] = accounts.make_ready(value, is_set=True)
        for value in (*_inherited(event).values(), *reads.values()):
            if id(value) not in ready and not is_light(value):
                ready[id(value)] = accounts.make_ready(value, is_read=bool(reads))
        return ready

    def dependencies(self, run_id: str, task_id: str) -> Collection[str]:
        """Return the ids of the tasks that a task of an open run depends on."""
        run = self._runs.get(run_id)
        return () if run is None else run.workflow.dependencies.get(task_id, ())

    def take(self) -> dict[str, list[Row]]:
        """Return the rows since the last call, by table, each in the order of the table's columns."""
        for event in self._begun:
            run = self._runs.get(event.run_id)
            if run is not None and run.open_attempts.get(event.task_id) is event:
                at, run_id, task_id, attempt = event
                self._rows["events"].append((run_id, at, "AttemptStarted", task_id, attempt, None, None, ""))
        self._begun.clear()
        rows, self._rows = self._rows, defaultdict(list)
        if self._ended:
            rows["ended"], self._ended = self._ended, []
        return rows

    def _run_started(self, event: events.RunStarted) -> None:
        workflow = event.workflow
        run = self._runs.get(event.run_id)
        if run is None or not run.accounts.ready:
            run = self._runs[event.run_id] = _OpenRun(self._accounts(), workflow)
        tasks = len(workflow.positions)
        identity = (event.run_id, workflow.name, workflow.version, event.kind, event.at, tasks, self._journal)
        self._rows["runs"].append((*identity, Status.RUNNING, None, "", 0, 0, 0, 0, event.resumed_from or None))
        for key, value in event.initial.items():
            is_given = key in event.given or key not in workflow.parameters
            if is_given and key in workflow.parameters:
                own = workflow.parameters[key]
                about = run.accounts.compared(Secret(own) if type(value) is Secret else own)
                self._rows["artifacts"].append((event.run_id, "default", key, None, event.at, *about))
            self._add_value((event.run_id, "initial" if is_given else "parameter", key, None, event.at), run, value)
            run.last_setter[key] = None
        self._add_code(workflow)
        run.code = self._fingerprint(workflow)  # last: if a value's own code fails it, the run is recorded without
        for found in run.code.tasks.values():
            self._add_fingerprint(found)

    def _add_fingerprint(self, found: CodeFingerprint) -> None:
        digest = found.digest
        if digest in self._fingerprints:
            return
        self._fingerprints.add(digest)
        rows = self._rows["code_parts"]
        rows += [(digest, name, part.digest, part.where, part.shown) for name, part in found.parts.items()]
        rows += [(digest, reason, None, "", "") for reason in found.untracked]

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
        run = self._runs.get(event.run_id)
        if run is not None:
            run.open_attempts[event.task_id] = event
            self._begun.append(event)

    def _output_written(self, event: events.OutputWritten) -> None:
        self._rows["logs"].append((event.run_id, event.task_id, event.attempt, event.at, event.stream, event.text))

    def _progress_made(self, event: events.ProgressMade) -> None:
        identity = (event.run_id, event.at, "ProgressMade", event.task_id, event.attempt)
        self._rows["events"].append((*identity, event.done, event.total, event.message))

    def _attempt_failed(self, event: events.AttemptFailed) -> None:
        run = self._runs.get(event.run_id)
        if run is None:
            return
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
        at, run_id, task_id, attempt, outcome, changes, failure, reason, reads, taken_from = event
        run = self._runs.get(run_id)
        if run is None:
            return
        begun = run.open_attempts.pop(task_id, None)
        started = begun.at if begun else None
        first_start = run.first_starts.get(task_id, started) if run.first_starts else started
        word = str(outcome)  # a plain string: the enumeration hashes and compares far slower
        run.outcomes[word] = run.outcomes.get(word, 0) + 1
        place, code = run.workflow.positions.get(task_id), run.code.tasks.get(task_id)
        code_digest = code.digest if code else None
        exception, message, where, traceback = failure or NO_FAILURE
        keys, digests, behind = self._read(task_id, reads, run) if reads else NOTHING_READ
        self._ended.append(
            # one tuple, written out: thousands of these are made beside the tasks themselves
            (run_id, task_id, place, word, attempt, first_start, started, at, reason)  # noqa: RUF005 - the faster way
            + (exception, message, where, traceback, code_digest, keys, digests, taken_from or None, behind)
        )
        for key, value in changes.items():
            self._add_change(event, run, key, value)

    def _read(self, task_id: str, reads: Mapping[str, Any], run: _OpenRun) -> tuple[tuple[str | None, ...], ...]:
        """Return the keys that a task has asked for, and of each value the digest, and the fingerprint of its code.

        A digest is empty if there was no value, and None if it doesn't cover all that the value holds.
        """
        describe = run.accounts.describe
        found = [None if value is MISSING else describe(value) for value in reads.values()]
        keys, digests = tuple(reads), tuple(map(_digest_of, found))
        if not any(map(_is_behind, found)):
            return keys, digests, ()
        return keys, digests, tuple(self._code_behind(task_id, one, run) for one in found)

    def _code_behind(self, task_id: str, described: Described | None, run: _OpenRun) -> str:
        if described is None or not described.behind:
            return ""
        fingerprint = run.code.behind(task_id, described.behind)
        self._add_fingerprint(fingerprint)
        return fingerprint.digest if fingerprint.parts else ""

    def _add_change(self, event: events.TaskFinished, run: _OpenRun, key: str, value: Any) -> None:
        run.last_setter[key] = event.task_id
        role = "deleted" if value is DELETED else "set"
        account = self._add_value((event.run_id, role, key, event.task_id, event.at), run, value)
        run.setters[key, account.digest] = event.task_id

    def _run_finished(self, event: events.RunFinished) -> None:
        run = self._runs.pop(event.run_id, None)
        if run is None:
            return
        counts = (run.outcomes.get(word, 0) for word in COUNTED)
        self._rows["endings"].append((event.run_id, event.status, event.at, event.error, *counts))
        for key, value in event.final.items():
            digest = run.accounts.describe(value).digest
            setter = run.setters.get((key, digest), run.last_setter.get(key))
            self._add_value((event.run_id, "final", key, setter, event.at), run, value)

    def _add_value(self, place: tuple[str, str, str, str | None, float], run: _OpenRun, value: Any) -> Account:
        account = NO_VALUE if value is DELETED else run.accounts.of(value, is_set=place[1] == "set")
        self._rows["artifacts"].append((*place, *account))
        self.error = run.accounts.error or self.error
        return account


def _inherited(event: events.Event) -> Mapping[str, Any]:
    """Return the values with which a run begins or ends."""
    if type(event) is events.RunStarted:
        return event.initial
    return event.final if type(event) is events.RunFinished else {}


def _is_at_hand(value: Any, run: _OpenRun | None) -> bool:
    return is_light(value) or (run is not None and run.accounts.is_known(value))


def _is_behind(described: Described | None) -> bool:
    return described is not None and bool(described.behind)


def _digest_of(described: Described | None) -> str | None:
    if described is None:
        return ""
    return described.digest if described.exact else None
