"""The tables of a history: every column, its type and its meaning.

Times are UTC, without a zone. A run's id is a UUIDv7 as text, so it sorts by time. There is no index: zone maps over
rows in the order of time serve the questions that are asked, and an index doubles the file.
"""

from typing import Final

from cloaca_nb.history.columns import table

__all__ = ["ARRIVALS", "ENDED", "ENDINGS", "FROM_ENDED", "MERGED", "PROCESSES", "TABLES"]


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
    table(
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
    table(
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
        read_code VARCHAR[] for each of those the fingerprint of its classes' code, see code_parts; empty: Python's own
        """,
    ),
    table(
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
    table(
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
    table(
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
    table(
        "artifacts",
        "one value under one key, where a run got, set, deleted or ended with it",
        """
        run_id VARCHAR of which run
        role VARCHAR initial; parameter: initial, given by nobody; default: beside one that was; set, deleted, final
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
    table(
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
    table(
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

PROCESSES: Final = table(
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
ENDED: Final = table(
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
    read_code VARCHAR[] for each of those keys the fingerprint of the code of its value's classes
    """,
)

# What the tables take from those rows: for each column of the table the expression, and which rows.
FROM_ENDED: Final = {
    "tasks": (
        """
        SELECT run_id, task_id, position, outcome, attempt AS attempts, started, ended, reason,
               CASE exception WHEN '' THEN '' ELSE exception || ': ' || message END AS error, location,
               code, reads, read_digests, taken_from, read_code
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
ENDINGS: Final = table("endings", "the end of a run", f"run_id VARCHAR of which run{_ENDING.rstrip()}")

# Only in journals: what becomes known of a value with which a run begins when it is on disk.
ARRIVALS: Final = table(
    "arrivals",
    "one value of the beginning of a run, which was said to be still to come",
    """
    run_id VARCHAR of which run
    role VARCHAR initial, parameter or default
    key VARCHAR its name in the context
    type VARCHAR the name of the value's type
    digest VARCHAR equal for equal values; empty if it has none
    size BIGINT bytes, as far as known
    preview VARCHAR short JSON or text
    codec VARCHAR how the value itself is kept; NULL: it isn't
    data VARCHAR the value itself where it is small
    problem VARCHAR why it isn't kept; else empty
    """,
)

MERGED: Final = table(
    "merged",
    "how much of a journal's segment is in these tables",
    """
    journal VARCHAR the name of the journal
    segment INTEGER from 1
    bytes BIGINT how many of its bytes are merged
    """,
)
