"""A process of its own that records runs: ``writer.py DATABASE PREFIX COUNT``; says each one that is on disk."""

import sys
import time

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.history.history import History

TASKS = 5


def main(database: str, prefix: str, count: int) -> None:
    history = History.open(database)
    recorder = history.recorder()
    workflow = Workflow("many", [Task(f"t{number}", print, dependencies=()) for number in range(TASKS)])
    for number in range(count):
        run_id = f"{prefix}-{number:05d}"
        recorder(events.RunStarted(time.time(), run_id, workflow, "run", {}))
        for task in workflow.tasks:
            recorder(events.AttemptStarted(time.time(), run_id, task.id, 1))
            recorder(events.OutputWritten(time.time(), run_id, task.id, 1, "stdout", f"{task.id} of {run_id}\n"))
            changes = {task.id: number}
            recorder(events.TaskFinished(time.time(), run_id, task.id, 1, Outcome.COMPLETED, changes, None, ""))
        final = {task.id: number for task in workflow.tasks}
        recorder(events.RunFinished(time.time(), run_id, Status.COMPLETED, final, ""))
        recorder.sync()
        print(run_id, flush=True)
    history.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
