"""A frame that many tasks pass on is written once, in whatever way they do it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.runner import DefaultRunner
from cloaca_nb.values import large_frames

ONCE = 1.05  # times the bytes of the frame
WAYS: dict[str, Callable[[Context], object]] = {
    "as it is": lambda context: context["frame"].sum(),
    "set again": lambda context: context.set("frame", context["frame"]),
    "in a dict": lambda context: context.set("held", {"daily": [context["frame"]], "note": "x"}),
    "as a copy": lambda context: context.set("copied", context["frame"].copy()),
    "as the same columns": lambda context: context.set("chosen", context["frame"][["a", "b", "c"]]),
    "read again": lambda context: context.set("again", pd.DataFrame(dict(context["frame"].items()))),
}
SIZES = {"of one file": 30_000, "by columns": large_frames.LARGE // 20}


def flow(ways: list[str]) -> Workflow:
    def task(place: int, way: str) -> Task:
        def body(context: Context) -> None:
            WAYS[way](context)

        return Task(f"{place} {way}", body, (f"{place - 1} {ways[place - 1]}",) if place else ())

    return Workflow("flow", [task(place, way) for place, way in enumerate(ways)])


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[DefaultRunner]:
    with DefaultRunner(tmp_path / "history.duckdb") as made:
        yield made


def written(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "history.duckdb-artifacts").rglob("*") if path.is_file())


@pytest.mark.parametrize("rows", SIZES.values(), ids=SIZES)
def test_a_frame_through_ten_tasks_is_written_once(rows: int, runner: DefaultRunner, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame({name: random.random(rows) for name in "abc"})
    size = int(frame.memory_usage().sum())
    ways = [*WAYS, *WAYS][:10]
    result = runner.execute(flow(ways), {"frame": frame})
    assert result.status == "Completed"
    assert size <= written(tmp_path) <= ONCE * size
    for value in (result.final_context[name] for name in ("frame", "copied", "chosen", "again")):
        pd.testing.assert_frame_equal(value, frame)
    runner.execute(flow(ways), {"frame": frame})
    assert written(tmp_path) <= ONCE * size
    kept: Any = runner.history().context().set_index("key")["digest"]
    assert len({kept[name] for name in ("frame", "copied", "chosen", "again")}) == 1
