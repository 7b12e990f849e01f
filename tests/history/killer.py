"""A process that does something to histories, in forks that are killed on the way.

Of each line of its input, a database, what to do there, and a number: forks a process that does it, and is killed at
its so many-th call or return (0: at none). What takes long, the imports, is done once, before there is any thread or
connection; it says how each process ended and how far it counted.
"""

import os
import signal
import sys

import duckdb  # noqa: F401 - see above
import pandas  # noqa: F401, ICN001 - see above
import pyarrow  # noqa: F401, ICN001 - see above

from cloaca_nb.history.history import History

WORK = {
    "prune": (lambda history: history.runs(), lambda history: history.prune(1)),
    "merge": (lambda _history: None, lambda history: history._store.merge()),
}


def counted(database: str, work: str, left: int) -> int:
    prepare, do = WORK[work]
    history = History.open(database)
    prepare(history)
    count = 0

    def watch(*_: object) -> None:
        nonlocal count
        count += 1
        if count == left:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    do(history)
    sys.setprofile(None)
    history.close()
    return count


def main() -> None:
    for line in sys.stdin:
        database, work, left = line.rstrip("\n").split("\t")
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(counted(database, work, int(left))).encode())
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reading) as said:
            print(os.waitstatus_to_exitcode(status), said.read() or 0, flush=True)


if __name__ == "__main__":
    main()
