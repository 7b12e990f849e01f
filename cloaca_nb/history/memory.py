"""What history has of the tasks of a workflow: how they ended in earlier runs, on what, and what they set."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import DELETED
from cloaca_nb.core.recall import Taken
from cloaca_nb.core.run_id import short
from cloaca_nb.core.secret import MASK
from cloaca_nb.declare.fingerprint import Part
from cloaca_nb.declare.variables import PREFIX
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.accounts import Accounts
from cloaca_nb.history.artifacts import ArtifactStore, Kept
from cloaca_nb.history.code import WorkflowCode
from cloaca_nb.history.opened import opens_files
from cloaca_nb.history.secret_digest import is_of_secret
from cloaca_nb.history.store import Reading

__all__ = ["AGAIN", "NOT_ASKED_FOR", "Earlier", "Memory", "initial_values", "remember"]

AGAIN: Final = "--param {key}=…, context={{'{key}': …}} in Python, or the environment variable {variable}"
NOT_ASKED_FOR: Final = "because it was not asked for"  # why a task is left out
Load = Callable[[str, Kept], Any]  # gives back the value of a digest


@dataclass(frozen=True, slots=True)
class Change:
    """A key that a task set or deleted."""

    key: str
    digest: str
    kept: Kept | None  # None: it was deleted


@dataclass(frozen=True, slots=True)
class Earlier:
    """A task as an earlier run has it."""

    run_id: str
    outcome: str
    code: str | None  # its fingerprint
    reads: Mapping[str, str | None]  # by key: the digest of what it inherited; empty: nothing; None: incomparable
    changes: tuple[Change, ...] = ()
    behind: Mapping[str, str] | None = None  # by key: the fingerprint of its classes' code; empty: none; None: unknown

    @property
    def run(self) -> str:
        """The run's name in messages."""
        return f"run {short(self.run_id)}"


@dataclass(frozen=True, slots=True)
class Memory:
    """What history has of the tasks of a workflow.

    Attributes:
        tasks: by task what runs have of it, the one to be taken first coming first.
        parts: by fingerprint what that code was made of.
        load: gives back a value.
        accounts: the digests of values.
        code: of the workflow as it is now.
        executed: by run and task when those that have an age limit or open files were executed, in seconds since the
            Unix epoch; it may have been in a run before that one.
    """

    tasks: Mapping[str, Sequence[Earlier]]
    parts: Mapping[str, Mapping[str, Part]]
    load: Load
    accounts: Accounts
    code: WorkflowCode
    executed: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def values(self, earlier: Earlier) -> dict[str, Any]:
        """Return what a task changed, for a run that gives each task copies: large values are shared between tasks.

        Raises:
            HistoryError: if a value can't be given back.
        """
        values = {}
        for key, digest, kept in ((one.key, one.digest, one.kept) for one in earlier.changes):
            try:
                values[key] = DELETED if kept is None else self.load(digest, kept)
            except HistoryError as error:
                raise HistoryError(f"{key!r} can't be taken from {earlier.run}: {error}") from error
        return values

    def taken(self, earlier: Earlier, context: Context, reason: str) -> Taken:
        """Return what is taken instead of executing a task; see `values`."""
        reads = {key: context.inherited_value(key) for key in earlier.reads}
        return Taken(earlier.run_id, self.values(earlier), reads, reason)


# A run and those that it went on with, the latest first.
CHAIN: Final = """
    WITH RECURSIVE chain AS (
        SELECT run_id, resumed_from, 0 AS back FROM runs WHERE run_id = $1
        UNION ALL
        SELECT runs.run_id, runs.resumed_from, back + 1 FROM runs JOIN chain ON runs.run_id = chain.resumed_from
    )
    SELECT run_id FROM chain ORDER BY back
"""
# What the tasks of such runs were; only what is over counts.
OF_RUNS: Final = """
    SELECT task_id, run_id, outcome, code, reads, read_digests, read_code FROM tasks
    WHERE run_id IN (SELECT unnest($1)) ORDER BY list_position($1, run_id)
"""
# Of all runs: what the code of now made of each input, and the latest, whatever its code, to say what is different.
OF_ANY: Final = """
    SELECT task_id, run_id, outcome, code, reads, read_digests, read_code
    FROM tasks JOIN runs USING (run_id)
    WHERE kind = 'run' AND outcome = 'Completed' AND task_id IN (SELECT unnest($1))
    QUALIFY row_number() OVER (PARTITION BY task_id, code, reads, read_digests, read_code ORDER BY tasks.ended DESC) = 1
        AND (list_contains($2, code) OR row_number() OVER (PARTITION BY task_id ORDER BY tasks.ended DESC) = 1)
    ORDER BY tasks.ended DESC
"""
# Of the runs and tries of a workflow: what each task came to last. What was not asked for is no answer.
OF_LAST: Final = """
    SELECT task_id, run_id, outcome, code, reads, read_digests, read_code
    FROM tasks JOIN runs USING (run_id)
    WHERE workflow = $1 AND kind IN ('run', 'try')
        AND (outcome = 'Completed' OR (outcome = 'Skipped' AND kind = 'run' AND reason <> $2))
    QUALIFY row_number() OVER (PARTITION BY task_id ORDER BY tasks.ended DESC, run_id DESC) = 1
"""
# Back from a run that has taken a task to the one that has executed it.
EXECUTED: Final = """
    WITH RECURSIVE way AS (
        SELECT run_id, task_id, taken_from, ended FROM tasks
        WHERE (run_id, task_id) IN (SELECT (unnest($1), unnest($2)))
        UNION ALL
        SELECT way.run_id, way.task_id, tasks.taken_from, tasks.ended
        FROM way JOIN tasks ON tasks.run_id = way.taken_from AND tasks.task_id = way.task_id
    )
    SELECT run_id, task_id, epoch(ended) AS ended FROM way WHERE taken_from IS NULL
"""
CHANGES: Final = """
    SELECT run_id, task_id, role, key, digest, preview, codec, data, problem FROM artifacts WHERE {which} ORDER BY rowid
"""
# A value that a run met several times stands in the first of its rows.
SMALL: Final = """
    SELECT run_id, digest, data FROM artifacts
    WHERE run_id IN (SELECT unnest($1)) AND digest IN (SELECT unnest($2)) AND data IS NOT NULL
"""
OF_TASKS: Final = "role IN ('set', 'deleted') AND (run_id, task_id) IN (SELECT (unnest($1), unnest($2)))"
AT_FIRST: Final = "role IN ('initial', 'parameter') AND run_id IN (SELECT unnest($1))"
PARTS: Final = "SELECT code, name, digest, location, shown FROM code_parts WHERE code IN (SELECT unnest($1))"


def remember(
    reading: Reading,
    artifacts: ArtifactStore,
    accounts: Accounts,
    code: WorkflowCode,
    workflow: Workflow,
    run_id: str | None,
    *,
    last: bool = False,
) -> Memory:
    """Return what history has of the tasks of a workflow.

    Args:
        reading: where the rows are.
        artifacts: where the values are.
        accounts: for the digests of values.
        code: of the workflow as it is now.
        workflow: whose tasks.
        run_id: of which run, and those that it went on with; None: of all.
        last: only what each task came to last, in a run or a try of that workflow.

    Raises:
        HistoryError: if there is no such run any more.
    """
    if last:
        rows = reading.rows(OF_LAST, workflow.name, NOT_ASKED_FOR)
    elif run_id is None:
        now = sorted({one.digest for one in code.tasks.values()})
        rows = reading.rows(OF_ANY, [task.id for task in workflow.tasks], now)
    else:
        rows = reading.rows(OF_RUNS, _chain(reading, run_id))
    changes = _changes(reading, rows)
    tasks: dict[str, list[Earlier]] = {}
    for row in rows:
        set_there = tuple(changes.get((row["run_id"], row["task_id"]), ()))
        tasks.setdefault(row["task_id"], []).append(_earlier(row, set_there))

    loaded: dict[str, Any] = {}  # artifacts, by digest: a large frame that ten tasks pass on is read and checked once

    def load(digest: str, kept: Kept) -> Any:
        if kept.data is not None:
            return artifacts.load(digest, kept, allow_pickle=True)
        if digest not in loaded:
            loaded[digest] = artifacts.load(digest, kept, allow_pickle=True)
        return loaded[digest]

    aged = {task.id for task in workflow.tasks if type(task.cache) is float or opens_files(task)}
    executed = _executed(reading, rows, aged) if aged else {}
    return Memory(tasks, _parts(reading, rows), load, accounts, code, executed)


def initial_values(
    reading: Reading,
    artifacts: ArtifactStore,
    run_id: str,
    named: Collection[str],
    secrets: Mapping[str, Any],
    again: str = AGAIN,
) -> dict[str, Any]:
    """Return the initial context of a run.

    Args:
        reading: where the rows are.
        artifacts: where the values are.
        run_id: of which run.
        named: keys whose values aren't wanted.
        secrets: values for keys that were secret, which aren't kept.
        again: how to give one that is missing, with ``{key}`` and ``{variable}`` to be filled in.

    Raises:
        HistoryError: if a value of it can't be given back; says which.
    """
    values = {}
    for row in _with_values(reading, AT_FIRST, [run_id]):
        key = row["key"]
        if key in named:
            continue
        if is_of_secret(row["digest"]) or (not row["digest"] and row["preview"] == MASK):
            if key not in secrets:
                raise HistoryError(
                    f"Run {short(run_id)} began with the secret {key!r}, and history keeps none. Give it again: "
                    f"{again.format(key=key, variable=PREFIX + key)}."
                )
            values[key] = secrets[key]
            continue
        try:
            values[key] = artifacts.load(row["digest"], _kept(row), allow_pickle=True)
        except HistoryError as error:
            raise HistoryError(
                f"Run {short(run_id)} began with {key!r}, which can't be given back: {error} "
                f"Give it again: context={{{key!r}: ...}}."
            ) from error
    return values


def _chain(reading: Reading, run_id: str) -> list[str]:
    """Return a run and those that it went on with; see that it is still there, as it was a moment ago."""
    chain = [str(row["run_id"]) for row in reading.rows(CHAIN, run_id)]
    if not chain:
        raise HistoryError(
            f"Run {short(run_id)} was removed from the history just now, by prune. Choose another; see runs()."
        )
    return chain


def _changes(reading: Reading, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Change]]:
    """Return what was set and deleted, by run and task."""
    which = [[row["run_id"] for row in rows], [row["task_id"] for row in rows]]
    changes: dict[tuple[str, str], list[Change]] = {}
    for row in _with_values(reading, OF_TASKS, *which):
        kept = None if row["role"] == "deleted" else _kept(row)
        changes.setdefault((row["run_id"], row["task_id"]), []).append(Change(row["key"], row["digest"], kept))
    return changes


def _earlier(row: Mapping[str, Any], changes: tuple[Change, ...]) -> Earlier:
    keys, code = row["reads"] or (), row["read_code"]
    reads = dict(zip(keys, row["read_digests"] or (), strict=True))
    behind = None if code is None else dict(zip(keys, code, strict=bool(code)))  # empty: there is none for any key
    return Earlier(row["run_id"], row["outcome"], row["code"], reads, changes, behind)


def _with_values(reading: Reading, which: str, run_ids: Sequence[str], *more: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows of values, each with the value itself where history keeps it in a row."""
    rows = reading.rows(CHANGES.format(which=which), run_ids, *more)
    elsewhere = {row["digest"] for row in rows if row["codec"] is not None and row["data"] is None}
    if elsewhere:
        found = reading.rows(SMALL, sorted(set(run_ids)), sorted(elsewhere))
        small = {(row["run_id"], row["digest"]): row["data"] for row in found}
        rows = [{**row, "data": row["data"] or small.get((row["run_id"], row["digest"]))} for row in rows]
    return rows


def _executed(
    reading: Reading, rows: Sequence[Mapping[str, Any]], tasks: Collection[str]
) -> dict[tuple[str, str], float]:
    """Return when tasks were executed, which runs have executed or taken, where that is still known."""
    keys = [(row["run_id"], row["task_id"]) for row in rows if row["task_id"] in tasks]
    found = reading.rows(EXECUTED, [run_id for run_id, _ in keys], [task_id for _, task_id in keys])
    return {(row["run_id"], row["task_id"]): row["ended"] for row in found}


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(row["codec"], row["data"], row["problem"] or "")


def _parts(reading: Reading, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Part]]:
    codes = sorted({code for row in rows for code in (row["code"], *(row["read_code"] or ())) if code})
    parts: dict[str, dict[str, Part]] = {}
    for row in reading.rows(PARTS, codes):
        if row["digest"] is not None:
            parts.setdefault(row["code"], {})[row["name"]] = Part(row["digest"], row["location"], row["shown"])
    return parts
