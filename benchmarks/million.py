"""A history of a million tasks and 1.2 GB of frames, made by SQL in a minute: to run them would take hours."""

from hashlib import md5
from pathlib import Path

from cloaca_nb.history.artifacts import ArtifactStore, artifacts_folder
from cloaca_nb.history.history import History

__all__ = ["RUNS", "TASKS", "make", "run_id"]

RUNS, TASKS = 10_000, 100
FRAME = 120_000  # bytes of the frame that each run sets
DIGEST = ArtifactStore(None).describe(2013).digest
RUN = "printf('%08x-0000-7000-8000-%012x', {0}, {0})"  # in place of a UUIDv7: begins with its time, and is as long
# Runs of ten workflows, one minute apart. Every 50th task fails at its first attempt, every 1,000th for good; each task
# prints a line and sets a value.
MADE = f"""
    INSERT INTO runs BY NAME
    SELECT {RUN.format("run")} AS run_id, 'flow' || run % 10 AS workflow, 'version' || run % 10 AS version,
           'run' AS kind, begun AS started, {TASKS} AS tasks, '0-journal' AS journal,
           if(run % 10 = 9, 'Failed', 'Completed') AS status, begun + INTERVAL 30 SECOND AS ended,
           if(run % 10 = 9, 'task 9: ValueError: no rows', '') AS error, {TASKS} - (run % 10 = 9)::INT AS completed,
           (run % 10 = 9)::INT AS failed, 0 AS skipped, 0 AS cancelled
    FROM (SELECT run, TIMESTAMP '2026-01-01' + to_minutes(run) AS begun FROM range({RUNS}) AS _(run));

    CREATE TEMP TABLE done AS
    SELECT {RUN.format("n // " + str(TASKS))} AS run_id, 'task' || n % {TASKS} AS task_id, n % {TASKS} AS position, n,
           TIMESTAMP '2026-01-01' + to_minutes(n // {TASKS}) + to_milliseconds(n % {TASKS} * 300) AS started,
           started + to_milliseconds(200 + n % 97) AS ended, n % 1000 = 999 AS is_failed,
           1 + (n % 50 = 49)::INT AS attempts
    FROM range({RUNS * TASKS}) AS _(n);

    INSERT INTO tasks BY NAME
    SELECT run_id, task_id, position, if(is_failed, 'Failed', 'Completed') AS outcome, attempts, started, ended,
           '' AS reason, if(is_failed, 'ValueError: no rows', '') AS error,
           if(is_failed, 'Cell In[3], line 2, in clean', '') AS location, md5(task_id) AS code, ['rows'] AS reads,
           [md5(n::VARCHAR)] AS read_digests
    FROM done;
    INSERT INTO attempts BY NAME
    SELECT run_id, task_id, attempt, if(attempt = attempts AND NOT is_failed, 'Completed', 'Failed') AS outcome,
           started, ended, '' AS exception, '' AS message, '' AS location, '' AS traceback
    FROM done, range(1, attempts + 1) AS _(attempt);
    INSERT INTO logs BY NAME
    SELECT run_id, task_id, 1 AS attempt, started AS time, 'stdout' AS stream, n || ' rows' || chr(10) AS text
    FROM done;
    INSERT INTO artifacts BY NAME
    SELECT run_id, 'set' AS role, 'rows' || position AS key, task_id, ended AS time, 'int' AS type,
           md5('value' || n) AS digest, 8 AS size, n::VARCHAR AS preview, 'json' AS codec, n::VARCHAR AS data,
           '' AS problem
    FROM done;
    INSERT INTO artifacts BY NAME
    SELECT run_id, 'initial' AS role, 'year' AS key, started AS time, 'int' AS type, '{DIGEST}' AS digest, 8 AS size,
           '2013' AS preview, 'json' AS codec, '2013' AS data, '' AS problem
    FROM runs;
    INSERT INTO artifacts BY NAME
    SELECT run_id, 'set' AS role, 'frame' AS key, 'task0' AS task_id, ended AS time, 'pandas.DataFrame' AS type,
           md5(run_id) AS digest, {FRAME} AS size, '15000 rows' AS preview, 'pandas' AS codec, NULL AS data,
           '' AS problem
    FROM runs;
    INSERT INTO artifacts BY NAME
    SELECT run_id, 'final' AS role, key, task_id, time, type, digest, size, preview, codec, problem FROM artifacts;
    INSERT INTO code BY NAME
    SELECT 'version' || v AS version, t AS position, 'task' || t AS task_id, [] AS dependencies, [] AS inferred,
           'def task(context): ...' AS source, 'Cell In[2]' AS location, '' AS description
    FROM range(10) AS _(v), range({TASKS}) AS __(t);
    INSERT INTO processes BY NAME
    SELECT '0-journal' AS journal, 'host' AS host, 1 AS pid, TIMESTAMP '2026-01-01' AS started, '3.11' AS python;
    DROP TABLE done;
"""  # noqa: S608 - figures of ours


def make(path: Path) -> None:
    """Make a history whose file is as merges would leave it, and beside it the frames, by name and size."""
    with History.open(str(path)) as history:
        history._store.change(lambda connection: connection.execute(MADE))  # noqa: SLF001 - nothing else writes rows
    for number in range(RUNS):
        digest = md5(run_id(number).encode(), usedforsecurity=False).hexdigest()
        frame = artifacts_folder(path) / digest[:2] / f"{digest}.pandas"
        frame.parent.mkdir(parents=True, exist_ok=True)
        with frame.open("wb") as file:
            file.truncate(FRAME)  # holes: they take no room on the disk


def run_id(number: int) -> str:
    """Return the id of a run, counted from 0."""
    return f"{number:08x}-0000-7000-8000-{number:012x}"
