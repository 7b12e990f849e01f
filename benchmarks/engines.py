"""What is timed: ways to run a graph of tasks that do nothing, each on four threads."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from queue import SimpleQueue
from types import MappingProxyType

from graphs import Graph

from cloaca_nb import Context, DefaultRunner, DefaultRunnerConfig, Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task

__all__ = ["DASK", "ENGINES", "OURS", "POOL", "THREADS", "durable_runner", "expect", "pool", "workflow_of"]

THREADS = 4
Once = Callable[[], None]
NO_BODIES: Mapping[str, Callable[[Context], None]] = MappingProxyType({})


def nothing(_context: Context) -> None:
    """Do nothing."""


def workflow_of(graph: Graph, bodies: Mapping[str, Callable[[Context], None]] = NO_BODIES) -> Workflow:
    """Make a workflow of a graph; a task that isn't given a body does nothing."""
    tasks = [
        Task(task_id, bodies.get(task_id, nothing), dependencies, keys=Keys())
        for task_id, dependencies in graph.items()
    ]
    return Workflow("bench", tasks)


@contextmanager
def durable_runner(durability: str = "run") -> Iterator[DefaultRunner]:
    """Make a runner with its durable history on disk."""
    with tempfile.TemporaryDirectory() as folder:
        url = str(Path(folder) / "history.duckdb")
        config = DefaultRunnerConfig(max_concurrent_tasks=THREADS)
        with DefaultRunner(url, config=config, durability=durability) as runner:
            yield runner


@contextmanager
def cloaca(graph: Graph) -> Iterator[Once]:
    """This project, with its durable history on disk."""
    workflow = workflow_of(graph)
    with durable_runner() as runner:
        yield lambda: expect(runner.execute(workflow).status, "Completed")


@contextmanager
def pool(graph: Graph) -> Iterator[Once]:
    """The standard library: graphlib and a thread pool. It remembers nothing."""

    def once() -> None:
        sorter = TopologicalSorter(graph)
        sorter.prepare()
        over: SimpleQueue[str] = SimpleQueue()
        while sorter.is_active():
            for task_id in sorter.get_ready():
                future: Future[None] = executor.submit(nothing, Context())
                future.add_done_callback(lambda _future, task_id=task_id: over.put(task_id))  # type: ignore[misc]
            sorter.done(over.get())

    with ThreadPoolExecutor(THREADS) as executor:
        yield once


@contextmanager
def dask(graph: Graph) -> Iterator[Once]:
    """Dask's threaded scheduler."""
    from dask.threaded import get  # noqa: PLC0415 - of all sections one measures it

    tasks = {task_id: (_nothing_of, *dependencies) for task_id, dependencies in graph.items()}
    yield lambda: expect(get(tasks, list(graph)[-1], num_workers=THREADS), None)


def _nothing_of(*_dependencies: object) -> None:
    return None


def expect(found: object, expected: object) -> None:
    """Raise unless a run gave what it should."""
    if found != expected:
        raise RuntimeError(f"A timed run gave {found!r}, not {expected!r}.")


POOL, DASK, OURS = "graphlib + ThreadPoolExecutor", "dask threaded", "cloaca_nb, durable"
ENGINES = {POOL: pool, DASK: dask, OURS: cloaca}
