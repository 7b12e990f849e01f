"""The views of a history: what users ask in SQL, made of its tables."""

from typing import Final

__all__ = ["VIEWS"]


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
        "how long each task usually takes, in seconds, and how often it fails: in its workflow's latest 100 runs",
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
}
