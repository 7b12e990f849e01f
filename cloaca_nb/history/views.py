"""The views of a history: what users ask in SQL, made of its tables. Their columns stay as they are documented here."""

from typing import Final, NamedTuple

from cloaca_nb.history.columns import Table, table

__all__ = ["VIEWS", "View"]


class View(NamedTuple):
    """One view: its columns, and the query that they are of."""

    table: Table
    query: str


VIEWS: Final = (
    View(
        table(
            "run_summary",
            "one row per run, with its duration in seconds",
            """
            run_id VARCHAR UUIDv7: sorts by time
            workflow VARCHAR the workflow's name
            kind VARCHAR run; try for one task on its own; check for a package that is verified
            status VARCHAR Running, Completed, Failed, Cancelled; Interrupted: its process died
            started TIMESTAMP when it began, in UTC
            ended TIMESTAMP when it was over, in UTC; NULL while it runs, and if it was interrupted
            duration DOUBLE from start to end, in seconds; NULL while it runs, and if it was interrupted
            tasks INTEGER how many tasks the workflow has
            completed INTEGER how many of its tasks completed
            failed INTEGER how many failed
            skipped INTEGER how many were skipped
            cancelled INTEGER how many were cancelled
            error VARCHAR which task, which exception, where; empty unless Failed
            version VARCHAR the content hash of the workflow; its tasks are in code
            resumed_from VARCHAR the run that it went on with; NULL: none
            """,
        ),
        """
        SELECT run_id, workflow, kind, status, started, ended, epoch(ended - started) AS duration,
               tasks, completed, failed, skipped, cancelled, error, version, resumed_from
        FROM runs
        """,
    ),
    View(
        table(
            "task_summary",
            "one row per task of each run, tasks that are not over included, with its duration in seconds",
            """
            run_id VARCHAR of which run
            position INTEGER its place in registration order, from 0
            task_id VARCHAR its id in the workflow
            outcome VARCHAR Completed, Failed, Skipped, Cancelled; before: Waiting, Running, Retrying, Interrupted
            attempts INTEGER how many attempts it took so far; 0: it never started
            started TIMESTAMP when its first attempt began, in UTC; NULL if none did
            ended TIMESTAMP when it was over, in UTC; NULL while it isn't
            duration DOUBLE from start to end, in seconds; NULL while it isn't over
            reason VARCHAR why it was skipped, cancelled, taken from another run, or not taken; else empty
            error VARCHAR the exception's type and message; empty unless Failed
            location VARCHAR where in the user's code it failed; empty unless Failed
            taken_from VARCHAR the run whose values these are; NULL: it was executed
            """,
        ),
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
    View(
        table(
            "task_statistics",
            "how long each task usually takes, in seconds, and how often it fails: in its workflow's latest 100 runs",
            """
            workflow VARCHAR the workflow's name
            task_id VARCHAR its id in the workflow
            runs BIGINT in how many of the latest 100 runs it was executed or taken
            failed BIGINT in how many of those it failed
            p50 DOUBLE half of them took at most so many seconds
            p95 DOUBLE 95 of 100 took at most so many seconds
            latest TIMESTAMP when it was over last, in UTC
            """,
        ),
        """
        WITH lately AS MATERIALIZED (
            SELECT run_id, workflow FROM runs WHERE kind = 'run'
            QUALIFY row_number() OVER (PARTITION BY workflow ORDER BY started DESC) <= 100
        )
        SELECT workflow, task_id, runs, failed, took[1] / 1e6 AS p50, took[2] / 1e6 AS p95, latest
        FROM (SELECT workflow, task_id, count(*) AS runs, count(*) FILTER (outcome = 'Failed') AS failed,
                     quantile_cont(epoch_us(tasks.ended) - epoch_us(tasks.started), [0.5, 0.95]) AS took,
                     max(tasks.ended) AS latest
              FROM tasks
              JOIN lately USING (run_id)
              WHERE outcome <> 'Skipped' AND outcome <> 'Cancelled'
                AND run_id >= (SELECT min(run_id) FROM lately)  -- ids sort by time: older rows aren't even read
              GROUP BY ALL)
        """,
    ),
)
