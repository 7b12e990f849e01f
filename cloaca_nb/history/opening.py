"""How the beginning of a run becomes rows: at once what is at hand, later what takes time, in parts of their own."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from cloaca_nb.core.events import AttemptStarted, RunStarted
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.secret import MASK, Secret
from cloaca_nb.core.status import Status
from cloaca_nb.declare.fingerprint import CodeFingerprint
from cloaca_nb.history.accounts import Account, Accounts
from cloaca_nb.history.code import WorkflowCode
from cloaca_nb.history.weight import is_light
from cloaca_nb.values.registry import type_name

__all__ = ["CodeOf", "Fingerprint", "OpenRun", "Opening", "Row", "ValuesOf"]

Row = tuple[Any, ...]
Fingerprint = Callable[[Workflow], WorkflowCode]
NO_CODE: Final = WorkflowCode({}, lambda _task_id, _code: CodeFingerprint("", {}))
QUICK: Final = 0.008  # seconds of a thread that it may take to look at the code of a workflow while others wait
SLOW: Final = 0.1  # seconds that it may last: beside busy threads it lasts longer, and a value's own code may sleep
TO_COME: Final = "It was still being written when its process was last heard of."


class CodeOf(NamedTuple):
    """What the code of a run's tasks comes to: part of its beginning."""

    run_id: str
    workflow: Workflow


class ValuesOf(NamedTuple):
    """The values with which a run begins, and that aren't light: part of its beginning."""

    run_id: str
    values: tuple["Initial", ...]

    def to_keep(self) -> Iterator[Any]:
        """Yield those that are kept."""
        return (value for role, _, value in self.values if role != "default")

    def to_compare(self) -> Iterator[Any]:
        """Yield those that others will be compared with."""
        return (value for role, _, value in self.values if role == "default")


class Initial(NamedTuple):
    """A value in its role at the beginning of a run."""

    role: str
    key: str
    value: Any


@dataclass(slots=True)
class OpenRun:
    """What must be known of a run until it is over."""

    accounts: Accounts
    workflow: Workflow
    code: WorkflowCode = NO_CODE
    first_starts: dict[str, float] = field(default_factory=dict)  # by task that was retried: when it first began
    open_attempts: dict[str, AttemptStarted] = field(default_factory=dict)  # by task
    outcomes: dict[str, int] = field(default_factory=dict)
    setters: dict[tuple[str, str], str] = field(default_factory=dict)  # by key and digest: the task that set it last
    last_setter: dict[str, str | None] = field(default_factory=dict)  # by key


class Opening:
    """Writes the rows with which runs begin; for one thread, but for `look_at_code`.

    Args:
        journal: the name of the journal that the rows go to.
        fingerprint: tells what the code of a workflow is, as of now.
        rows: by table, to be added to.
    """

    def __init__(self, journal: str, fingerprint: Fingerprint, rows: Mapping[str, list[Row]]) -> None:
        self._journal = journal
        self._fingerprint = fingerprint
        self._rows = rows
        self._versions: set[str] = set()  # of workflows whose tasks were said
        self._quick: set[str] = set()  # of those at whose code it took no time to look
        self._said: set[str] = set()  # fingerprints

    def begin(self, event: RunStarted, run: OpenRun) -> None:
        """Say that a run has begun, and with which values; of those that aren't light only that they are to come."""
        workflow = event.workflow
        identity = (event.run_id, workflow.name, workflow.version, event.kind, event.at, len(workflow.positions))
        ending = (Status.RUNNING, None, "", 0, 0, 0, 0)
        self._rows["runs"].append((*identity, self._journal, *ending, event.resumed_from or None))
        for role, key, value in _initial(event):
            account = _at_first(run.accounts, role, value) if is_light(value) else _to_come(value)
            self._rows["artifacts"].append((event.run_id, role, key, None, event.at, *account))
            run.last_setter[key] = None
        self._say_tasks(workflow)

    def parts(self, event: RunStarted) -> Iterator[CodeOf | ValuesOf]:
        """Yield what is to be said next of a run that has begun, and may take time."""
        yield CodeOf(event.run_id, event.workflow)
        heavy = tuple(one for one in _initial(event) if not is_light(one.value))
        if heavy:
            yield ValuesOf(event.run_id, heavy)

    def is_quick(self, workflow: Workflow) -> bool:
        """Whether it took no time to look at the code of a workflow when that was done last."""
        return workflow.version in self._quick

    def look_at_code(self, run: OpenRun) -> None:
        """Find out what the code of a run is, as of now; never raises, but on an interrupt."""
        begun, busy = time.perf_counter(), time.thread_time()
        run.code = self._fingerprint(run.workflow)
        is_quick = time.thread_time() - busy < QUICK and time.perf_counter() - begun < SLOW
        (self._quick.add if is_quick else self._quick.discard)(run.workflow.version)

    def say_code(self, run: OpenRun) -> None:
        """Say what the code of a run comes to."""
        if run.code is NO_CODE:
            self.look_at_code(run)
        for found in run.code.tasks.values():
            self.say_fingerprint(found)

    def say_fingerprint(self, found: CodeFingerprint) -> None:
        """Say what a fingerprint is made of, unless that was said."""
        digest = found.digest
        if digest in self._said:
            return
        self._said.add(digest)
        rows = self._rows["code_parts"]
        rows += [(digest, name, part.digest, part.where, part.shown) for name, part in found.parts.items()]
        rows += [(digest, reason, None, "", "") for reason in found.untracked]

    def say_values(self, part: ValuesOf, run: OpenRun) -> None:
        """Say what those values are that weren't light."""
        for role, key, value in part.values:
            self._rows["arrivals"].append((part.run_id, role, key, *_at_first(run.accounts, role, value)))

    def _say_tasks(self, workflow: Workflow) -> None:
        if workflow.version in self._versions:
            return
        self._versions.add(workflow.version)
        inferred = workflow.inferred_dependencies
        for place, task in enumerate(workflow.tasks):
            edges = (workflow.dependencies[task.id], inferred.get(task.id, ()))
            self._rows["code"].append(
                (workflow.version, place, task.id, *edges, task.source, task.where, task.description)
            )


def _initial(event: RunStarted) -> Iterator[Initial]:
    """Yield the values with which a run begins; before one that a parameter was given, the workflow's own."""
    own = event.workflow.parameters
    for key, value in event.initial.items():
        if key not in own:
            yield Initial("initial", key, value)
        elif key not in event.given:
            yield Initial("parameter", key, value)
        else:
            yield Initial("default", key, Secret(own[key]) if type(value) is Secret else own[key])
            yield Initial("initial", key, value)


def _at_first(accounts: Accounts, role: str, value: Any) -> Account:
    return accounts.compared(value) if role == "default" else accounts.of(value)


def _to_come(value: Any) -> Account:
    is_secret = type(value) is Secret
    kind = type(value.reveal()) if is_secret else type(value)
    return Account(_name_of(kind), preview=MASK if is_secret else "<not on disk yet>", problem=TO_COME)


def _name_of(kind: type) -> str:
    try:
        return type_name(kind)
    except Exception:  # noqa: BLE001 - the code of a user's metaclass: who describes the value says that it fails
        return kind.__qualname__
