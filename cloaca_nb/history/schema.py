"""The tables and views of a history: every column, its type and its meaning, and how one version follows another.

Times are UTC, without a zone. A run's id is a UUIDv7 as text, so it sorts by time. There is no index: zone maps over
rows in the order of time serve the questions that are asked, and an index doubles the file.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["ENDED", "ENDINGS", "FROM_ENDED", "PROCESSES", "SCHEMA_VERSION", "TABLES", "VIEWS", "Table", "migration"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its SQL type, and what stands in it."""

    name: str
    type: str
    meaning: str

    @property
    def journal_type(self) -> str:
        """The type in a journal, which writes times as seconds since the Unix epoch."""
        return "DOUBLE" if self.type == "TIMESTAMP" else self.type

    @property
    def from_journal(self) -> str:
        """The SQL expression that turns the journal's value into the column's."""
        quoted = f'"{self.name}"'
        return f"make_timestamp(round({quoted} * 1e6)::BIGINT)" if self.type == "TIMESTAMP" else quoted


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in order, and what a row of it is."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in the order in which rows hold their values."""
        return tuple(column.name for column in self.columns)


def _table(name: str, meaning: str, columns: str) -> Table:
    """Make a table of lines ``name TYPE meaning``."""
    rows = (line.split(maxsplit=2) for line in columns.strip().splitlines())
    return Table(name, meaning, tuple(Column(*row) for row in rows))


_ENDING: Final = """
    status VARCHAR Running, Completed, Failed, Cancelled; Interrupted: its process died
    ended TIMESTAMP when it was over; NULL while it runs, and if it was interrupted
    error VARCHAR which task, which exception, where; empty unless Failed
    completed INTEGER how many of its tasks completed
    failed INTEGER how many failed
    skipped INTEGER how many were skipped
    cancelled INTEGER how many were cancelled
"""

TABLES: Final = (
    _table(
        "runs",
        "one execution of a workflow",
        f"""
        run_id VARCHAR UUIDv7: sorts by time
        workflow VARCHAR the workflow's name
        version VARCHAR the content hash of the workflow; its tasks are in code
        kind VARCHAR run; try for one task on its own; check for a package that is verified
        started TIMESTAMP when it began
        tasks INTEGER how many tasks the workflow has
        journal VARCHAR which process executed it, see processes
        {_ENDING.strip()}
        resumed_from VARCHAR the run that it went on with; NULL: none
        """,
    ),
    _table(
        "tasks",
        "one task of a run that is over, whatever its outcome",
        """
        run_id VARCHAR of which run
        task_id VARCHAR its id in the workflow
        position INTEGER its place in registration order, from 0
        outcome VARCHAR Completed, Failed, Skipped, Cancelled
        attempts INTEGER how many attempts it took; 0: it never started
        started TIMESTAMP when its first attempt began; NULL if none did
        ended TIMESTAMP when it was over
        reason VARCHAR why it was skipped, cancelled, taken from another run, or not taken; else empty
        error VARCHAR the exception's type and message; empty unless Failed
        location VARCHAR where in the user's code it failed; empty unless Failed
        code VARCHAR the fingerprint of its code, see code_parts
        reads VARCHAR[] the keys that it asked its context for; * stands for the question which keys there are
        read_digests VARCHAR[] for each of those the digest of what it inherited; empty: nothing; NULL: incomparable
        taken_from VARCHAR the run whose values these are; NULL: it was executed
        """,
    ),
    _table(
        "attempts",
        "one attempt of a task that is over",
        """
        run_id VARCHAR of which run
        task_id VARCHAR of which task
        attempt INTEGER from 1
        outcome VARCHAR Completed, Failed, Cancelled, Skipped
        started TIMESTAMP when it began
        ended TIMESTAMP when it was over
        exception VARCHAR the exception's type; empty unless Failed
        message VARCHAR the exception's text
        location VARCHAR cell or file, line and function
        traceback VARCHAR the user's own frames with source lines
        retry_in DOUBLE seconds until the next attempt; NULL: it was the last
        """,
    ),
    _table(
        "events",
        "what else happened in a run, in order: what no other table holds",
        """
        run_id VARCHAR of which run
        time TIMESTAMP when it happened
        event VARCHAR AttemptStarted (of attempts that weren't over within the same commit), ProgressMade
        task_id VARCHAR of which task
        attempt INTEGER of which attempt, from 1
        done DOUBLE how far the attempt is (ProgressMade)
        total DOUBLE of how much; NULL: not known
        message VARCHAR in the task's words
        """,
    ),
    _table(
        "logs",
        "one piece of what an attempt wrote: whole lines, or the rest of one",
        """
        run_id VARCHAR of which run
        task_id VARCHAR of which task
        attempt INTEGER of which attempt, from 1
        time TIMESTAMP when it was written
        stream VARCHAR stdout or stderr
        text VARCHAR as it was written, line ends included
        """,
    ),
    _table(
        "artifacts",
        "one value under one key, where a run got, set, deleted or ended with it",
        """
        run_id VARCHAR of which run
        role VARCHAR initial; parameter: initial, as the workflow's own default; set, deleted, final
        key VARCHAR its name in the context
        task_id VARCHAR which task set or deleted it; NULL: it came with the initial context
        time TIMESTAMP when
        type VARCHAR the name of the value's type
        digest VARCHAR equal for equal values; empty if it has none
        size BIGINT bytes, as far as known
        preview VARCHAR short JSON or text
        codec VARCHAR how the value itself is kept: json, npy, pandas, pyarrow, polars, pickle; NULL: it isn't
        data VARCHAR the value itself where it is small; NULL: it is the artifact of that digest, or in another row
        problem VARCHAR why it isn't kept, or what of it isn't as it should be; else empty
        """,
    ),
    _table(
        "code",
        "one task as a version of a workflow defines it",
        """
        version VARCHAR the content hash of the workflow
        position INTEGER its place in registration order, from 0
        task_id VARCHAR its id
        dependencies VARCHAR[] ids that it depends on
        inferred VARCHAR[] those of them that were inferred
        source VARCHAR the text of its function or cell
        location VARCHAR where it was defined
        description VARCHAR from its docstring
        """,
    ),
    _table(
        "code_parts",
        "one part of what a task's code is made of, or one reason why a change of it might not be seen",
        """
        code VARCHAR the fingerprint
        name VARCHAR task body, helper clean, constant LIMIT, distribution pandas; or the reason
        digest VARCHAR equal for equal parts; NULL: this is a reason
        location VARCHAR where it was defined
        shown VARCHAR a short value or version; empty if there is none to show
        """,
    ),
)

PROCESSES: Final = _table(
    "processes",
    "one process that recorded runs",
    """
    journal VARCHAR the name of its journal
    host VARCHAR on which machine
    pid BIGINT under which process id
    started TIMESTAMP since when
    python VARCHAR under which version of Python
    """,
)

# Only in journals: a task that is over, together with its last attempt.
ENDED: Final = _table(
    "ended",
    "one task that is over, and its last attempt",
    """
    run_id VARCHAR of which run
    task_id VARCHAR its id
    position INTEGER its place in registration order, from 0
    outcome VARCHAR Completed, Failed, Skipped, Cancelled
    attempt INTEGER how many attempts it took; 0: it never started
    started TIMESTAMP when its first attempt began
    begun TIMESTAMP when its last attempt began; NULL if that one was over before
    ended TIMESTAMP when it was over
    reason VARCHAR why it was skipped or cancelled
    exception VARCHAR the exception's type
    message VARCHAR the exception's text
    location VARCHAR where in the user's code it failed
    traceback VARCHAR the user's own frames with source lines
    code VARCHAR the fingerprint of its code
    reads VARCHAR[] the keys that it asked its context for
    read_digests VARCHAR[] for each of those the digest of what it inherited
    taken_from VARCHAR the run whose values these are; NULL: it was executed
    """,
)

# What the tables take from those rows: for each column of the table the expression, and which rows.
FROM_ENDED: Final = {
    "tasks": (
        """
        SELECT run_id, task_id, position, outcome, attempt AS attempts, started, ended, reason,
               CASE exception WHEN '' THEN '' ELSE exception || ': ' || message END AS error, location,
               code, reads, read_digests, taken_from
        """,
        "",
    ),
    "attempts": (
        """
        SELECT run_id, task_id, attempt, outcome, begun AS started, ended, exception, message, location, traceback,
               NULL AS retry_in
        """,
        "WHERE begun IS NOT NULL",
    ),
}

# Only in journals: what becomes known about a run when it is over.
ENDINGS: Final = _table("endings", "the end of a run", f"run_id VARCHAR of which run{_ENDING.rstrip()}")

MERGED: Final = _table(
    "merged",
    "how much of a journal's segment is in these tables",
    """
    journal VARCHAR the name of the journal
    segment INTEGER from 1
    bytes BIGINT how many of its bytes are merged
    """,
)

VIEWS: Final = {
    "run_summary": (
        "one row per run, with its duration in seconds",
        """
        SELECT run_id, workflow, kind, status, started, ended, epoch(ended - started) AS duration,
               tasks, completed, failed, skipped, cancelled, error, version, resumed_from
        FROM runs
        """,
    ),
    "task_summary": (
        "one row per task of each run, tasks that are not over included, with its duration in seconds",
        """
        SELECT run_id, position, task_id, outcome, attempts, started, ended,
               epoch(ended - started) AS duration, reason, error, location, taken_from
        FROM tasks
        UNION ALL
        SELECT runs.run_id, code.position, code.task_id,
               CASE WHEN begun.attempts IS NULL THEN 'Waiting'
                    WHEN runs.status <> 'Running' THEN runs.status
                    WHEN begun.attempts > coalesce(begun.failed, 0) THEN 'Running'
                    ELSE 'Retrying' END,
               coalesce(begun.attempts, 0), begun.started, NULL, NULL, '', '', '', NULL
        FROM runs
        JOIN code USING (version)
        LEFT JOIN (SELECT run_id, task_id, min(time) AS started,
                          max(attempt) AS attempts, max(attempt) FILTER (is_over) AS failed
                   FROM (SELECT run_id, task_id, attempt, time, false AS is_over
                         FROM events WHERE event = 'AttemptStarted'
                         UNION ALL
                         SELECT run_id, task_id, attempt, started, true FROM attempts)
                   WHERE run_id IN (SELECT run_id FROM runs WHERE ended IS NULL)
                   GROUP BY ALL) AS begun
               ON begun.run_id = runs.run_id AND begun.task_id = code.task_id
        WHERE runs.ended IS NULL
          AND NOT EXISTS (FROM tasks WHERE tasks.run_id = runs.run_id AND tasks.task_id = code.task_id)
        """,
    ),
    "task_statistics": (
        "how long each task usually takes, in seconds, and how often it fails",
        """
        SELECT workflow, task_id, count(*) AS runs, count(*) FILTER (outcome = 'Failed') AS failed,
               quantile_cont(epoch(tasks.ended - tasks.started), 0.5) AS p50,
               quantile_cont(epoch(tasks.ended - tasks.started), 0.95) AS p95,
               max(tasks.ended) AS latest
        FROM tasks JOIN runs USING (run_id)
        WHERE kind = 'run' AND outcome IN ('Completed', 'Failed')
        GROUP BY ALL
        """,
    ),
}


# The first leads from version 1 to 2, the next from 2 to 3. Each is fixed text: one that was released never changes.
MIGRATIONS: Final = (
    """
    ALTER TABLE runs ADD COLUMN resumed_from VARCHAR;
    ALTER TABLE tasks ADD COLUMN code VARCHAR;
    ALTER TABLE tasks ADD COLUMN reads VARCHAR[];
    ALTER TABLE tasks ADD COLUMN read_digests VARCHAR[];
    ALTER TABLE tasks ADD COLUMN taken_from VARCHAR;
    ALTER TABLE artifacts ADD COLUMN data VARCHAR;
    ALTER TABLE artifacts ADD COLUMN problem VARCHAR;
    CREATE TABLE code_parts (code VARCHAR, name VARCHAR, digest VARCHAR, location VARCHAR, shown VARCHAR);
    """,
)
SCHEMA_VERSION: Final = 1 + len(MIGRATIONS)


def migration(version: int) -> str:
    """Return the SQL that leads from a schema version to the present one.

    Args:
        version: 0 for a database without tables of ours.
    """
    if version == SCHEMA_VERSION:
        return ""
    tables = MIGRATIONS[version - 1 :] if version else [_create(table) for table in (*TABLES, PROCESSES, MERGED)]
    views = [_create_view(name, meaning, query) for name, (meaning, query) in VIEWS.items()]
    views.append(_create_view("documentation", "every column of the tables, with its meaning", _documentation()))
    stamp = f"CREATE OR REPLACE TABLE schema_version AS SELECT {SCHEMA_VERSION} AS version;"
    return "\n".join([*tables, *views, stamp])


def _create(table: Table) -> str:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({columns}); COMMENT ON TABLE {table.name} IS {_quoted(table.meaning)};"


def _create_view(name: str, meaning: str, query: str) -> str:
    return f"CREATE OR REPLACE VIEW {name} AS {query}; COMMENT ON VIEW {name} IS {_quoted(meaning)};"


def _documentation() -> str:
    """Return the query of the view that documents the columns: a comment on each would cost 30 ms to write."""
    rows = (
        ", ".join(map(_quoted, (table.name, column.name, column.type, column.meaning)))
        for table in (*TABLES, PROCESSES, MERGED)
        for column in table.columns
    )
    return f'FROM (VALUES ({"), (".join(rows)})) AS columns("table", "column", "type", meaning)'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
