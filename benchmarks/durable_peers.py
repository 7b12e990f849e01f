"""DBOS and dagster, which have each task on the disk before the next starts: in a process each, both on SQLite."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from engines import expect
from figure import MICRO
from fresh import Answer, answer, ask

__all__ = ["PEERS", "per_task"]

Once = Callable[[], None]


def per_task(peer: str, graph: str, tasks: int, rounds: int) -> float:
    """Return the median microseconds per task."""
    return ask(__file__, peer=peer, graph=graph, tasks=tasks, rounds=rounds)["took"]


@contextmanager
def dbos(graph: str, tasks: int, folder: str) -> Iterator[Once]:
    """DBOS: the steps of a workflow, one after the other or gathered."""
    from dbos import DBOS  # noqa: PLC0415 - of all processes one measures it

    url = f"sqlite:///{folder}/dbos.sqlite"
    DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})

    @DBOS.step()
    async def add_one(rows: int) -> int:
        return rows + 1

    @DBOS.workflow()
    async def chain() -> int:
        rows = 0
        for _ in range(tasks):
            rows = await add_one(rows)
        return rows

    @DBOS.workflow()
    async def fan() -> int:
        return sum(await asyncio.gather(*(add_one(0) for _ in range(tasks))))

    DBOS.launch()
    workflow = {"chain": chain, "fan": fan}[graph]
    yield lambda: expect(asyncio.run(workflow()), tasks)
    DBOS.destroy()


@contextmanager
def dagster(graph: str, tasks: int, folder: str) -> Iterator[Once]:
    """Dagster: the ops of a job, executed in this process, with runs and events in its SQLite storage."""
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    from dagster import DagsterInstance, job, op  # noqa: PLC0415 - see `dbos`

    @op
    def begin() -> int:
        return 0

    @op
    def add_one(rows: int) -> int:
        return rows + 1

    @job
    def flow() -> None:
        rows = first = begin()
        for number in range(tasks - 1):
            rows = add_one.alias(f"add_one_{number}")(rows if graph == "chain" else first)

    with DagsterInstance.local_temp(folder) as instance:
        yield lambda: expect(flow.execute_in_process(instance=instance).success, expected=True)


PEERS = {"DBOS": dbos, "dagster": dagster}


def measure(peer: str, graph: str, tasks: int, rounds: int) -> Answer:
    """Return the median microseconds per task."""
    took = []
    with tempfile.TemporaryDirectory() as folder, PEERS[peer](graph, tasks, folder) as once:
        for number in range(rounds + 1):
            began = time.perf_counter()
            once()
            if number:  # the first one warms up
                took.append(time.perf_counter() - began)
    return {"took": median(took) / tasks * MICRO}


if __name__ == "__main__":
    answer(measure)
