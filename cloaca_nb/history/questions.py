"""The questions that a history is asked most, in SQL."""

from typing import Final

__all__ = ["ATTEMPTS", "BEGAN", "CONTEXT", "COUNT", "LOGS", "LOG_ENDS", "OPEN", "RUNS", "STARTED_FROM", "TASKS"]

RUNS: Final = """
    WITH latest AS MATERIALIZED (FROM run_summary ORDER BY started DESC, run_id DESC LIMIT $1)
    SELECT run_id, workflow, kind, status, started, ended, duration, tasks, failed, error, version, resumed_from,
           skipped, coalesce(taken, 0) AS taken
    FROM latest
    LEFT JOIN (SELECT run_id, count(*)::INTEGER AS taken FROM tasks
               WHERE taken_from IS NOT NULL AND run_id IN (SELECT run_id FROM latest)
               GROUP BY run_id) USING (run_id)
    ORDER BY started DESC, run_id DESC
"""
TASKS: Final = """
    SELECT task_id, outcome, attempts, started, ended, duration, reason, error, location
    FROM task_summary WHERE run_id = $1 ORDER BY position
"""
ATTEMPTS: Final = """
    SELECT task_id, attempt, outcome, started, ended, epoch(ended - started) AS duration,
           exception, message, location, traceback, retry_in
    FROM attempts WHERE run_id = $1 ORDER BY started, rowid
"""
LOGS: Final = """
    SELECT time, task_id, attempt, stream, text FROM (
        SELECT time, task_id, attempt, stream, text, 0 AS kind, rowid AS place FROM logs
        WHERE run_id = $1 AND ($2 IS NULL OR task_id = $2)
        UNION ALL
        SELECT ended, task_id, attempt, 'traceback', traceback, 1, rowid FROM attempts
        WHERE run_id = $1 AND ($2 IS NULL OR task_id = $2) AND $3 AND traceback <> ''
    ) ORDER BY time, kind, place
"""
LOG_ENDS: Final = """
    SELECT task_id, attempt, stream, right(text, 8000) AS text, sum(lines) OVER (PARTITION BY task_id) AS lines FROM (
        SELECT *, length(text) - length(replace(text, chr(10), '')) + (text NOT LIKE '%' || chr(10))::INTEGER AS lines
        FROM (SELECT time, task_id, attempt, stream, text, 0 AS kind, rowid AS place FROM logs WHERE run_id = $1
              UNION ALL
              SELECT ended, task_id, attempt, 'traceback', traceback, 1, rowid FROM attempts
              WHERE run_id = $1 AND traceback <> '')
    )
    QUALIFY coalesce(sum(lines) OVER (PARTITION BY task_id ORDER BY time DESC, kind DESC, place DESC
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < $2
    ORDER BY time, kind, place
"""
CONTEXT: Final = """
    WITH of_run AS (SELECT *, rowid AS place FROM artifacts WHERE run_id = $1),
         latest AS (SELECT * FROM of_run WHERE role NOT IN ('default', 'final')
                    QUALIFY row_number() OVER (PARTITION BY key ORDER BY time DESC, place DESC) = 1)
    SELECT key, type, digest, size, preview AS value, task_id AS set_by FROM (
        SELECT * FROM of_run WHERE role = 'final'
        UNION ALL
        SELECT * FROM latest WHERE role <> 'deleted'
            AND EXISTS (FROM runs WHERE run_id = $1 AND ended IS NULL)
    ) ORDER BY time, place
"""
BEGAN: Final = "SELECT run_id, workflow, started FROM runs WHERE run_id = $1"
COUNT: Final = "SELECT count(*) AS runs FROM runs"
OPEN: Final = """
    SELECT workflow, status, host, pid FROM runs LEFT JOIN processes USING (journal) WHERE run_id = $1
"""
STARTED_FROM: Final = """
    SELECT run_id, key, preview FROM artifacts
    WHERE role IN ('initial', 'parameter') AND run_id IN (SELECT unnest($1::VARCHAR[]))
    ORDER BY rowid
"""
