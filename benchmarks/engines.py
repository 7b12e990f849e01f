"""What is timed: ways to run a graph of tasks that do nothing, each on four threads."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from queue import SimpleQueue

from dask.threaded import get
from graphs import Graph

from cloaca_nb import Context, DefaultRunner, DefaultRunnerConfig, Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task

__all__ = ["ENGINES", "THREADS"]

THREADS = 4
Once = Callable[[], None]


def nothing(_context: Context) -> None:
    """Do nothing."""


@contextmanager
def cloaca(graph: Graph) -> Iterator[Once]:
    """This project, with its durable history on disk."""
    tasks = [Task(task_id, nothing, dependencies, keys=Keys()) for task_id, dependencies in graph.items()]
    workflow = Workflow("bench", tasks)
    with tempfile.TemporaryDirectory() as folder:
        url = str(Path(folder) / "history.duckdb")
        with DefaultRunner(url, config=DefaultRunnerConfig(max_concurrent_tasks=THREADS)) as runner:
            yield lambda: _expect(runner.execute(workflow).status, "Completed")


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
                future.add_done_callback(lambda _future, task_id=task_id: over.put(task_id))
            sorter.done(over.get())

    with ThreadPoolExecutor(THREADS) as executor:
        yield once


@contextmanager
def dask(graph: Graph) -> Iterator[Once]:
    """Dask's threaded scheduler."""
    tasks = {task_id: (_nothing_of, *dependencies) for task_id, dependencies in graph.items()}
    yield lambda: _expect(get(tasks, list(graph)[-1], num_workers=THREADS), None)


def _nothing_of(*_dependencies: object) -> None:
    return None


def _expect(found: object, expected: object) -> None:
    if found != expected:
        raise RuntimeError(f"A timed run gave {found!r}, not {expected!r}.")


ENGINES = {"graphlib + ThreadPoolExecutor": pool, "dask threaded": dask, "cloaca_nb, durable": cloaca}
