"""In what two frames differ is said, however wide they are and wherever they are."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.history.table_changes import MOST, table_changes
from cloaca_nb.runner import DefaultRunner
from cloaca_nb.values import large_frames
from cloaca_nb.values.outlines import Found, Table

WIDE = pd.DataFrame({f"column_{number}": np.arange(4) for number in range(20)})
LABELLED = WIDE.set_index(WIDE.index.astype(float))
LARGE = pd.DataFrame({"a": np.arange(large_frames.LARGE // 8), "b": 1.5})
ONE, TWO = pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [2]})
OTHER_VALUES = "the same columns and as many rows, with other values"
CASES = [
    # name, a value, another, what is said
    (
        "the last dtype",
        WIDE,
        WIDE.astype({"column_19": float}),
        ("column column_19 is float64 now, was int64",),
    ),
    (
        "a late name",
        WIDE,
        WIDE.rename(columns={"column_18": "late"}),
        ("column column_18 (int64) is gone", "column late (int64) is new"),
    ),
    ("order", WIDE, WIDE[WIDE.columns[::-1]], ("columns stand in another order",)),
    ("rows", WIDE, WIDE.iloc[:3], ("3 rows now, was 4",)),
    ("values", WIDE, WIDE + 1, (OTHER_VALUES,)),
    ("the index", WIDE, LABELLED, ("the index is float64 now, was a range (0, 1, 2, …)",)),
    ("the index, back", LABELLED, WIDE, ("the index is a range (0, 1, 2, …) now, was float64",)),
    ("the index, retyped", LABELLED, WIDE.set_index(pd.Index(list("abcd"))), ("the index is str now, was float64",)),
    ("a column called index", WIDE, WIDE.reset_index(), ("column index (int64) is new",)),
    ("a large frame", LARGE, LARGE.assign(b="x"), ("column b is str now, was float64",)),
    ("in a dict", {"a": ONE, "b": ONE}, {"a": ONE, "b": TWO}, (f"['b']: {OTHER_VALUES}",)),
    (
        "in a dict, longer",
        {"a": ONE},
        {"a": pd.concat([ONE, TWO])},
        ("['a']: 2 rows now, was 1", "['a']: the index is int64 now, was a range (0, 1, 2, …)"),
    ),
    ("in a dict, new", {"a": ONE}, {"a": ONE, "b": WIDE}, ("['b']: 4 rows × 20 columns that are new",)),
    ("in a dict, gone", {"a": [ONE, WIDE]}, {"a": [ONE]}, ("['a'][1]: 4 rows × 20 columns that are gone",)),
    (
        "a large frame in a list",
        [LARGE],
        [LARGE.rename(columns={"b": "c"})],
        ("[0]: column b (float64) is gone", "[0]: column c (float64) is new"),
    ),
    ("no frame any more", WIDE, 3, ()),
    ("numbers", [1, 2], [1, 3], ()),
]


def flow(value: Any) -> Workflow:
    return Workflow("flow", [Task("make", lambda context: context.insert("made", value), ())])


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DefaultRunner]:
    with DefaultRunner(tmp_path_factory.mktemp("kept") / "history.duckdb") as made:
        yield made


@pytest.mark.parametrize(("one", "other", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_diff_says_in_what_frames_differ(runner: DefaultRunner, one: Any, other: Any, said: tuple[str, ...]) -> None:
    for value in (one, other):
        assert runner.execute(flow(value)).status == "Completed"
    diff = runner.history().diff()
    [change] = diff.final
    assert (change.key, change.details) == ("made", said)
    html = diff._repr_mimebundle_()["text/html"]
    for line in said:
        assert line in str(diff)
        assert line.replace("'", "&#x27;") in html


def test_what_is_gone_from_the_disk_is_told_by_its_preview(tmp_path: Any) -> None:
    with DefaultRunner(tmp_path / "history.duckdb") as runner:
        for value in (LARGE, LARGE.assign(b="x")):
            runner.execute(flow(value))
        for path in (tmp_path / "history.duckdb-artifacts").rglob("*.json"):
            path.write_bytes(b'[["damaged')
        [change] = runner.history().diff().final
    assert change.details == ()
    assert change.after is not None
    assert change.after.startswith("4194304 rows × 2 columns: a int64, b str")


def told(columns: int) -> Found:
    return Found("", lambda: Table(1, tuple((f"c{number}", "int64") for number in range(columns))))


def test_no_more_is_said_than_can_be_read() -> None:
    said = table_changes({"": told(50)}, {"": told(0)})
    assert len(said) == MOST + 1
    assert said[-1] == "… and more"
    assert len(table_changes({"": told(MOST)}, {"": told(0)})) == MOST


def test_no_more_tables_are_looked_at_than_are_told_of() -> None:
    looked = Counter[str]()

    def found(path: str, digest: str, rows: int) -> Found:
        def look() -> Table:
            looked[path] += 1
            return Table(rows, ())

        return Found(digest, look)

    paths = [f"[{place}]" for place in range(1000)]
    before, after = ({path: found(path, f"{rows}{path}", rows) for path in paths} for rows in (1, 2))
    same = {"[same]": found("[same]", "equal", 1)}
    assert table_changes({**same, **before}, {**same, **after})[0] == "[0]: 2 rows now, was 1"
    assert len(looked) == MOST + 1
    assert looked["[same]"] == 0
