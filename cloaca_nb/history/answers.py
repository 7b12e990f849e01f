"""What a history is asked: its runs, their tasks, attempts, output and values, and what differs between two."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.live import Live
from cloaca_nb.core.run_id import short
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.accounts import Accounts
from cloaca_nb.history.artifacts import ArtifactStore, Kept
from cloaca_nb.history.code import fingerprints
from cloaca_nb.history.diff import RunDiff, RunRows, compare, unequal
from cloaca_nb.history.diff_rows import pair_with, read_kept, read_run, usual_durations
from cloaca_nb.history.given import Given, given_rows, own_parameters, secrets_needed
from cloaca_nb.history.location import Location
from cloaca_nb.history.memory import AGAIN, Memory, initial_values, remember
from cloaca_nb.history.overview import TaskNotes, count_runs, heading, history_shown, settings_of, task_notes
from cloaca_nb.history.questions import ATTEMPTS, CONTEXT, LOGS, RUNS, TASKS
from cloaca_nb.history.runs_page import Settings, counted
from cloaca_nb.history.secret_digest import SecretDigest
from cloaca_nb.history.store import Reading, Store
from cloaca_nb.history.tables import from_arrow
from cloaca_nb.history.targets import check_targets
from cloaca_nb.history.transfers import Transfer, transfers
from cloaca_nb.history.usual import usual_seconds
from cloaca_nb.history.which import check_task, which_run, which_to_resume

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Answers"]

T = TypeVar("T")
logger = logging.getLogger(__name__)
NO_SECRETS: Final[Mapping[str, Any]] = MappingProxyType({})


class Answers(Live):
    """What a history answers.

    Args:
        location: where it lies.
        store: where its tables are.
        artifacts: where its values are.
        flush: has what was observed until now recorded; called before each question.

    Attributes:
        location: where it lies.
    """

    def __init__(self, location: Location, store: Store, artifacts: ArtifactStore, flush: Callable[[], None]) -> None:
        self.location = location
        self._store = store
        self._artifacts = artifacts
        self._secret_digest = SecretDigest(location.secret_key)
        self._flush = flush
        self._was_asked = False

    def runs(self, limit: int | None = None) -> "pd.DataFrame":
        """Return the runs, newest first; `duration` is in seconds, times are UTC."""
        return from_arrow(self._read(lambda reading: reading.table(RUNS, limit)))

    def tasks(self, run: str | None = None) -> "pd.DataFrame":
        """Return the tasks of a run in registration order, those that aren't over included.

        Args:
            run: its id, or a beginning that only it has; None for the latest.

        Raises:
            HistoryError: if there is no such run.
        """
        return self._of_run(TASKS, run)

    def run_rows(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the same as `runs` as rows, for who shows a few of them and needn't wait for pandas to be loaded."""
        return self._read(lambda reading: reading.rows(RUNS, limit))

    def task_rows(self, run: str | None = None) -> list[dict[str, Any]]:
        """Return the same as `tasks` as rows; see `run_rows`."""
        return self._read(lambda reading: reading.rows(TASKS, self._which(reading, run)))

    def settings(self, runs: Sequence[str]) -> Settings:
        """Return what runs started from: by whole id, for each key of the initial context a short text of its value."""
        return self._read(lambda reading: settings_of(reading, runs))

    def task_notes(self, run: str | None = None) -> TaskNotes:
        """Return what stands beside the tasks of a run: how long each usually takes, and the end of its log."""
        return self._read(lambda reading: task_notes(reading, self._which(reading, run)))

    def attempts(self, run: str | None = None) -> "pd.DataFrame":
        """Return the attempts of a run that are over, in the order in which they began; see `tasks`."""
        return self._of_run(ATTEMPTS, run)

    def logs(self, task: str | None = None, run: str | None = None, *, failures: bool = False) -> "pd.DataFrame":
        """Return what the tasks of a run wrote, in order; see `tasks`.

        Args:
            task: whose; None: all tasks'.
            run: see `tasks`.
            failures: whether the traceback of each attempt that failed stands behind what it wrote, as a stream.

        Raises:
            HistoryError: if there is no such run, or no such task in it.
        """

        def answer(reading: Reading) -> "pa.Table":
            run_id = self._which(reading, run)
            found = reading.table(LOGS, run_id, task, failures)
            if task is not None and not found.num_rows:
                check_task(reading, run_id, task)
            return found

        return from_arrow(self._read(answer))

    def context(self, run: str | None = None) -> "pd.DataFrame":
        """Return the final context of a run, or what it holds so far; see `tasks`.

        `value` is a preview as short JSON or text; equal values have equal digests, in all runs. `set_by` is the task
        that set the value last, or nothing for one that came with the initial context.
        """
        return self._of_run(CONTEXT, run)

    def resolve(self, run: str | None = None) -> str:
        """Return the whole id of the run that is meant; see `tasks`.

        Raises:
            HistoryError: if there is no such run.
        """
        return self._read(partial(self._which, run=run))

    def heading(self, run: str | None = None) -> str:
        """Return what heads an answer about a run: its workflow, its short name, when it began; see `tasks`."""
        return self._read(lambda reading: heading(reading, self._which(reading, run)))

    def to_resume(self, run: str | None = None, workflow: str | None = None) -> tuple[str, str]:
        """Return the id and the workflow of the run that a new one can go on with.

        That is by default the latest one that is over, however it ended; one that is still going on is told of.

        Args:
            run: its id, or a beginning that only it has.
            workflow: the workflow's name, where the latest run of that one is meant; None: that of the latest run.

        Raises:
            HistoryError: if there is no such run, or it is still going on.
        """
        found = self._read(partial(which_to_resume, location=self.location, run=run, workflow=workflow))
        if found.passed_over:
            logger.warning(
                "%s: what begins now goes on with run %s, the latest of %r that is over.",
                found.passed_over,
                short(found.run_id),
                found.workflow,
            )
        return found.run_id, found.workflow

    def latest(self, workflow: str) -> str | None:
        """Return the id of the latest run of a workflow; None if there is none. A try is no run."""
        try:
            return self._read(lambda reading: self._which(reading, None, workflow))
        except HistoryError:
            return None

    def initial(
        self,
        run: str | None = None,
        *,
        named: Collection[str] = (),
        secrets: Mapping[str, Any] = NO_SECRETS,
        again: str = AGAIN,
    ) -> dict[str, Any]:
        """Return the initial context of a run; see `tasks`. Reads pickles where a value is kept as one.

        Args:
            run: its id, or a beginning that only it has; None for the latest.
            named: keys whose values aren't wanted.
            secrets: values for keys that were secret, which aren't in the history.
            again: how the error is to say that one can be given, with ``{key}`` and ``{variable}`` to be filled in.

        Raises:
            HistoryError: if there is no such run, or a value of it can't be given back.
        """

        def answer(reading: Reading) -> dict[str, Any]:
            run_id = self._which(reading, run)
            return initial_values(reading, self._artifacts, run_id, named, secrets, again)

        return self._read(answer)

    def given(self, run_id: str, workflow: Workflow) -> Given:
        """Return what a run that goes on with that one takes from its workflow, and which secrets it needs."""
        rows = self._read(lambda reading: given_rows(reading, run_id))
        is_still, values = self._accounts().is_still, workflow.parameters
        own = own_parameters([row for row in rows if row["run_id"] == run_id], is_still, values.grounds)
        needed = secrets_needed(rows, is_still, values.grounds, self._secret_digest)
        there = values.known
        return Given(own, {key: key in there and is_still(there[key], digest) for key, digest in needed.items()})

    def transfers(self, run: str | None = None, *, most: int) -> list[Transfer]:
        """Return what each task of a run was given and what it made of that; no pickle is read; see `tasks`.

        Args:
            run: its id, or a beginning that only it has; None for the latest.
            most: bytes of a value that is read; of a larger one its digest is told.
        """

        def answer(reading: Reading) -> list[Transfer]:
            return transfers(reading, self._artifacts.load, self._which(reading, run), most)

        return self._read(answer)

    def memory(self, workflow: Workflow, run_id: str | None = None, *, last: bool = False) -> Memory:
        """Return what is known of a workflow's tasks: from one run and those that it went on with, or from all.

        Args:
            workflow: whose tasks.
            run_id: the one run; None: all.
            last: only what each task came to last, tries included.

        Raises:
            HistoryError: if there is no such run any more.
        """
        accounts = self._accounts()
        code = fingerprints(workflow, self._secret_digest)
        return self._read(
            lambda reading: remember(reading, self._artifacts, accounts, code, workflow, run_id, last=last)
        )

    def diff(self, a: str | None = None, b: str | None = None) -> RunDiff:
        """Return what differs between two runs, and nothing else; of values only the columns of frames are looked at.

        No pickle is read.

        Args:
            a: a run's id, or a beginning that only it has; None: the latest run, which is compared with the one before.
            b: another run's; None: the latest other run of the same workflow, the earlier of the two being "before".

        Raises:
            HistoryError: if there is no such run, or none to compare it with.
        """

        def answer(reading: Reading) -> tuple[RunRows, RunRows, dict[str, Kept], dict[str, Sequence[float]]]:
            named = [self._which(reading, run) for run in (a, b) if run is not None] or [self._which(reading, None)]
            one, other = named if len(named) > 1 else pair_with(reading, named[0])
            before, after = read_run(reading, one), read_run(reading, other)
            kept = read_kept(reading, (one, other), unequal(before, after))
            return before, after, kept, usual_durations(reading, one, other)

        before, after, kept, usual = self._read(answer)  # and nobody waits for the tables while files are looked at
        tables = {digest: self._artifacts.tables(digest, one) for digest, one in kept.items()}
        return compare(before, after, usual, tables)

    def usual(self, workflow: str, *, but_run: str = "", up_to_date: bool = True) -> dict[str, float]:
        """Return how many seconds each task of a workflow usually takes: the median of its last completed executions.

        Args:
            workflow: its name; of one that was never run nothing is known.
            but_run: the id of a run that doesn't count.
            up_to_date: whether runs count that were recorded a moment ago; without them the answer costs a fifth.
        """

        def answer(reading: Reading) -> dict[str, float]:
            return usual_seconds(reading, workflow, but_run)

        return self._read(answer) if up_to_date else self._store.read(answer, up_to_date=False)

    def sql(self, query: str) -> "pd.DataFrame":
        """Return what one SELECT answers; `FROM documentation` says what there is to ask, as docs/usage.md does.

        Raises:
            HistoryError: for a mistake in it, for more than one statement, and for one that would write.
            KeyboardInterrupt: on an interrupt; the query has ended then.
        """
        if self.location.path is not None:
            check_targets(query, self.location.path, Path.cwd())
        return from_arrow(self._read(lambda reading: reading.asked(query)))

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        try:
            return self._read(lambda reading: history_shown(reading, self.location))
        except HistoryError as error:  # it is closed, or can't be reached just now
            return {"text/plain": f"{self!r}: {error}"}

    def _accounts(self) -> Accounts:
        return Accounts(self._artifacts.describe, self._artifacts.keep, self._secret_digest)

    def _runs_counted(self) -> str:
        """Return how many runs there are, in words; empty before the first question: that would open the database."""
        try:
            return f": {counted(self._read(count_runs))}" if self._was_asked else ""
        except HistoryError:  # it can't be reached just now, and a debugger that prints it needn't know why
            return ""

    def _read(self, work: Callable[[Reading], T]) -> T:
        self._was_asked = True
        self._flush()
        return self._store.read(work)

    def _of_run(self, sql: str, run: str | None) -> "pd.DataFrame":
        """Return what one question about a run answers; it begins with the run's id."""
        return from_arrow(self._read(lambda reading: reading.table(sql, self._which(reading, run))))

    def _which(self, reading: Reading, run: str | None, workflow: str | None = None) -> str:
        return which_run(reading, self.location, run, workflow)
