import gc
import itertools
from typing import Any, NamedTuple

import pytest

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.accounts import LARGE, Accounts
from cloaca_nb.history.artifacts import Kept
from cloaca_nb.history.code import WorkflowCode
from cloaca_nb.history.opening import NO_CODE, TO_COME, Row
from cloaca_nb.history.rows import EventRows
from cloaca_nb.history.schema import ARRIVALS, ENDED, ENDINGS, TABLES


class Description(NamedTuple):
    type: str
    digest: str
    size: int
    preview: str
    exact: bool = True
    behind: frozenset[Any] = frozenset()


def describe(value: Any) -> Description:
    return Description(type(value).__name__, f"<{value!r}>", 8, repr(value))


def keep(_value: Any, _digest: str, _size: int) -> Kept:
    return Kept("json", "null")


def rows_of(describe: Any) -> EventRows:
    return EventRows("journal", describe, keep, lambda _workflow: NO_CODE)


@pytest.fixture
def rows() -> EventRows:
    return rows_of(describe)


def named(rows: EventRows, table: str) -> list[dict[str, Any]]:
    """Return a table's rows with names."""
    return as_named(rows.take(), table)


def as_named(taken: dict[str, list[Row]], table: str) -> list[dict[str, Any]]:
    names = {one.name: one.names for one in (*TABLES, ENDED, ARRIVALS, ENDINGS)}[table]
    return [dict(zip(names, row, strict=True)) for row in taken.get(table, [])]


def add(rows: EventRows, said: list[events.Event]) -> None:
    for event in said:
        rows.add(event)
        for part in rows.parts(event) if isinstance(event, events.RunStarted) else ():
            rows.add(part)


def test_every_row_has_a_value_for_every_column(rows: EventRows, runs: Any) -> None:
    add(rows, runs.completed_run("a"))
    taken = rows.take()
    assert set(taken) >= {"runs", "ended", "attempts", "events", "logs", "artifacts", "code", "endings"}
    widths = {table.name: len(table.columns) for table in (*TABLES, ENDED, ARRIVALS, ENDINGS)}
    assert {(name, len(row)) for name, of_table in taken.items() for row in of_table} == {
        (name, widths[name]) for name in taken
    }


def test_rows_are_taken_once(rows: EventRows, runs: Any) -> None:
    add(rows, runs.completed_run("a"))
    rows.take()
    assert rows.take() == {}


def test_attempts_of_a_retried_task(rows: EventRows, runs: Any) -> None:
    add(rows, runs.completed_run("a", start=100))
    taken = rows.take()
    (failed,) = as_named(taken, "attempts")
    assert (failed["outcome"], failed["started"], failed["ended"], failed["retry_in"]) == ("Failed", 102.5, 103.0, 0.25)
    assert failed["exception"] == "ValueError"
    (last,) = (row for row in as_named(taken, "ended") if row["task_id"] == "clean")
    assert (last["outcome"], last["attempt"], last["started"], last["begun"], last["ended"]) == (
        *("Completed", 2),
        *(102.5, 103.5, 104.5),
    )


def test_failed_task_has_one_attempt_and_its_error(rows: EventRows, runs: Any) -> None:
    add(rows, runs.failed_run("a"))
    taken = rows.take()
    load, clean, report = as_named(taken, "ended")
    assert "attempts" not in taken
    assert (load["outcome"], load["attempt"], load["exception"]) == ("Completed", 1, "")
    assert (clean["exception"], clean["message"]) == ("ValueError", "no rows")
    assert clean["location"] == "Cell In[3], line 2, in clean"
    assert (report["outcome"], report["attempt"], report["begun"]) == ("Skipped", 0, None)
    assert (report["ended"], report["reason"]) == (runs.START + 3, "because clean failed")
    assert taken["endings"][0][-4:] == (1, 1, 1, 0)


def test_start_of_an_attempt_is_an_event_only_while_it_is_not_over(rows: EventRows, runs: Any) -> None:
    said = runs.completed_run("a")
    add(rows, said[:2])
    assert [row["event"] for row in named(rows, "events")] == ["AttemptStarted"]
    add(rows, said[2:])
    assert [row["event"] for row in named(rows, "events")] == ["ProgressMade"]


def test_final_values_name_the_task_that_set_them(rows: EventRows, runs: Any) -> None:
    add(rows, runs.completed_run("a", final=7))
    artifacts = named(rows, "artifacts")
    final = {row["key"]: row["task_id"] for row in artifacts if row["role"] == "final"}
    assert final == {"year": None, "x": "clean", "rows": "report"}
    assert [(row["key"], row["task_id"]) for row in artifacts if row["role"] == "deleted"] == [("raw", "clean")]


def test_code_of_a_version_is_said_once(rows: EventRows, runs: Any) -> None:
    add(rows, runs.completed_run("a") + runs.completed_run("b"))
    code = named(rows, "code")
    assert [row["task_id"] for row in code] == ["load", "clean", "report"]
    assert code[0]["source"] == "def load(context): ..."
    assert code[1]["dependencies"] == ("load",)


class MuteError(Exception):
    def __str__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ZeroDivisionError("in its repr"), "ZeroDivisionError: in its repr"),
        (SystemExit(1), "SystemExit: 1"),
        (MuteError(), "MuteError"),
    ],
)
def test_a_value_that_cannot_be_described_costs_nothing_else(error: BaseException, said: str, runs: Any) -> None:
    def fail(_value: Any) -> Description:
        raise error

    rows = rows_of(fail)
    add(rows, runs.completed_run("a"))
    taken = rows.take()
    assert len(taken["ended"]) == 3
    assert said in taken["artifacts"][0][8]


class Large:
    """Stands for a frame: can be referred to weakly."""


@pytest.mark.parametrize(
    ("value", "size", "behind", "read", "set_again"),
    [
        (Large(), LARGE, (), 1, 3),
        ("text", 1, (), 1, 1),
        ([1], LARGE, (), 1, 3),
        ([1], LARGE - 1, (), 3, 3),
        ([Large()], 1, (Large,), 1, 3),
    ],
)
def test_what_costs_time_is_described_once_for_all_that_read_it_and_anew_where_it_is_set_again(
    value: Any, size: int, behind: tuple[type, ...], read: int, set_again: int, runs: Any
) -> None:
    described = []

    def count(one: Any) -> Description:
        described.append(one)
        return Description("t", "d", size, "", behind=frozenset(behind))

    rows = rows_of(count)
    for run_id, changes, reads in (("a", {}, {"k": value}), ("b", {"k": value}, {})):
        described.clear()
        add(rows, [events.RunStarted(0, run_id, runs.define(), "run", {"k": value})])
        for task in ("load", "clean"):
            rows.add(events.TaskFinished(1, run_id, task, 1, Outcome.COMPLETED, changes, None, "", reads))
        assert len(described) == (set_again if changes else read)


LONG = list(range(10_000))


def test_of_a_value_that_takes_time_it_is_said_at_once_that_it_is_to_come(runs: Any) -> None:
    rows = rows_of(lambda value: describe(value)._replace(size=LARGE))
    event = events.RunStarted(0, "a", runs.define(), "run", {"year": 2013, "long": LONG})
    rows.add(event)
    taken = rows.take()
    assert [row["workflow"] for row in as_named(taken, "runs")] == ["flights"]
    year, to_come = as_named(taken, "artifacts")
    assert (year["key"], year["digest"], year["problem"]) == ("year", "<2013>", "")
    assert (to_come["key"], to_come["type"], to_come["digest"], to_come["problem"]) == ("long", "list", "", TO_COME)
    _, values = rows.parts(event)
    rows.add(values, rows.make_ready(values))
    (arrived,) = named(rows, "arrivals")
    assert (arrived["role"], arrived["key"], arrived["digest"]) == ("initial", "long", f"<{LONG!r}>")
    assert not rows.is_heavy(events.TaskFinished(1, "a", "load", 1, Outcome.COMPLETED, {}, None, "", {"long": LONG}))


class Point:
    """What is neither light nor large."""


def test_what_was_made_ready_in_vain_is_in_the_row_all_the_same(runs: Any) -> None:
    rows = EventRows("journal", describe, lambda _value, _digest, _size: Kept("json", "3"), lambda _workflow: NO_CODE)
    one, point = Point(), Point()
    add(rows, [events.RunStarted(0, "a", runs.define(), "run", {})])
    event = events.TaskFinished(1, "a", "load", 1, Outcome.COMPLETED, {"one": one, "again": one, "p": point}, None, "")
    rows.make_ready(event)
    rows.add(event)
    assert [row["data"] for row in named(rows, "artifacts")] == ["3", None, "3"]
    rows.add(event, rows.make_ready(event))
    assert [(row["codec"], row["data"]) for row in named(rows, "artifacts")] == [("json", None)] * 3


def test_what_was_only_read_takes_time_at_the_end_of_its_run(runs: Any) -> None:
    rows = rows_of(lambda value: describe(value)._replace(size=LARGE))
    add(rows, [events.RunStarted(0, "a", runs.define(), "run", {})])
    over = events.RunFinished(3, "a", Status.COMPLETED, {"long": LONG}, "")
    read = events.TaskFinished(1, "a", "load", 1, Outcome.COMPLETED, {}, None, "", {"long": LONG})
    rows.add(read, rows.make_ready(read))
    assert not rows.is_heavy(read)
    assert rows.is_heavy(over)
    rows.add(events.TaskFinished(2, "a", "clean", 1, Outcome.COMPLETED, {"long": LONG}, None, ""))
    assert not rows.is_heavy(over)


def test_a_refusal_is_told_of_its_own_run(runs: Any) -> None:
    def refuse(_value: Any, _digest: str, _size: int) -> Kept:
        raise HistoryError("The disk is full.")

    rows = EventRows("journal", describe, refuse, lambda _workflow: NO_CODE)
    add(rows, [events.RunStarted(0, run_id, runs.define(), "run", {}) for run_id in "ab"])
    odd: Any = {"x": Point(), 5: Point()}.items()
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever an odd event leads to
        rows.add(events.RunFinished(1, "a", Status.COMPLETED, _Failing(odd), ""))  # type: ignore[arg-type]
    rows.add(events.TaskFinished(1, "b", "load", 1, Outcome.COMPLETED, {}, None, ""))


class _Failing(dict[str, Any]):
    """Values that can't be had all."""

    def items(self) -> Any:
        yield from super().items()
        raise ValueError("no more")


def test_the_code_of_a_workflow_takes_time_until_it_was_seen_to_take_none(runs: Any) -> None:
    clock = itertools.count()
    looked = []

    def look(workflow: Workflow) -> WorkflowCode:
        looked.append(workflow.name)
        return NO_CODE

    rows = EventRows("journal", describe, keep, look)
    heavy = []
    for number in range(2):
        event = events.RunStarted(next(clock), f"run {number}", runs.define(), "run", {})
        rows.add(event)
        (code,) = rows.parts(event)
        heavy.append(rows.is_heavy(code))
        rows.add(code, rows.make_ready(code))
    assert heavy == [True, False]


def test_of_a_run_that_never_began_nothing_is_kept(rows: EventRows, runs: Any) -> None:
    """An interrupt may come just before its begin is said; its end is said all the same."""
    begun, *others = runs.completed_run("a")
    add(rows, [one for one in others if not isinstance(one, events.OutputWritten | events.ProgressMade)])
    assert rows.take() == {}
    add(rows, [begun, *others])
    assert len(named(rows, "runs")) == 1


def test_a_run_that_is_over_is_forgotten(rows: EventRows, runs: Any) -> None:
    def remembered() -> int:
        gc.collect()
        return sum(isinstance(one, Accounts) for one in gc.get_objects())

    before = remembered()
    for number in range(10):
        add(rows, runs.completed_run(f"run {number}"))
        rows.take()
    assert remembered() == before
