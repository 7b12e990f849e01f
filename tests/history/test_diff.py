"""What differs between two runs is said, and nothing else."""

import subprocess
import sys
from html.parser import HTMLParser
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import DELETED
from cloaca_nb.core.moment import moment
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import Part
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.diff import RunDiff, RunRows, compare
from cloaca_nb.history.history import History

RUN = {
    "run_id": "r",
    "workflow": "flights",
    "status": "Completed",
    "started": pd.Timestamp("2026-01-01"),
    "ended": pd.Timestamp("2026-01-02"),
    "duration": 1.0,
    "error": "",
}
TASK = {
    "task_id": "load",
    "outcome": "Completed",
    "attempts": 1,
    "duration": 1.0,
    "reason": "",
    "error": "",
    "taken_from": None,
    "code": "c",
}
CODE = {"task_id": "load", "dependencies": [], "source": "def load(context):\n    return 1\n"}
VALUE = {"role": "final", "key": "k", "type": "int", "digest": "00ff00ff00ff", "preview": "1", "codec": "json"}
PARTS = {"c": {"task body": Part("1", "here"), "constant LIMIT": Part("5", "Cell 1", "5")}}


def rows(**changed: Any) -> RunRows:
    """The rows of a run that differ in something from those above."""
    return RunRows(
        RUN | changed.pop("run", {}),
        [TASK | changed.pop("task", {})],
        [CODE | changed.pop("code", {})],
        changed.pop("parts", PARTS),
        [VALUE | one for one in changed.pop("values", [{}])],
    )


FRAME = {"type": "pandas.DataFrame", "codec": "pandas", "preview": "3 rows × 1 columns: a int64"}
DIFFERENCES = [
    # name, what is otherwise in the second run, which part differs, and how
    ("nothing", {}, None, None),
    ("other times", {"run": {"run_id": "s", "started": pd.Timestamp("2026-02-01")}}, None, None),
    ("another value", {"values": [{"digest": "11", "preview": "2"}]}, "final", ("k", "1", "2", ())),
    ("a key that is new", {"values": [{}, {"key": "n"}]}, "final", ("n", None, "1", ())),
    ("a key that is gone", {"values": []}, "final", ("k", "1", None, ())),
    (
        "a value of another type that looks alike",
        {"values": [{"digest": "11", "type": "Decimal"}]},
        "final",
        ("k", "1 (int, digest 00ff00ff)", "1 (Decimal, digest 11)", ()),
    ),
    (
        "a frame",
        {"values": [FRAME | {"digest": "abcdef0123"}]},
        "final",
        ("k", "1", "3 rows × 1 columns: a int64 (digest abcdef01)", ()),
    ),
    ("a value without a digest that looks alike", {"values": [{"digest": "", "preview": "1"}]}, "final", ...),
    (
        "a failed task",
        {"task": {"outcome": "Failed", "error": "ValueError: no rows"}},
        "tasks",
        ("load", "Completed", "Failed: ValueError: no rows"),
    ),
    (
        "a skipped task",
        {"task": {"outcome": "Skipped", "attempts": 0, "reason": "because clean failed"}},
        "tasks",
        ("load", "Completed", "Skipped (because clean failed)"),
    ),
    ("more attempts", {"task": {"attempts": 3}}, "tasks", ("load", "Completed", "Completed after 3 attempts")),
    ("a task that was taken", {"task": {"attempts": 0, "taken_from": "r", "duration": None}}, None, None),
    ("why it was executed", {"task": {"reason": "executed, as no earlier run has it"}}, None, None),
    ("a task of another name", {"task": {"task_id": "read"}}, "tasks", ("read", None, "Completed")),
    (
        "other text",
        {"code": {"source": "def load(context):\n    return 2\n"}},
        "code",
        ("load", (), "@@ -1,2 +1,2 @@\n def load(context):\n-    return 1\n+    return 2"),
    ),
    (
        "another constant",
        {"parts": {"c": PARTS["c"] | {"constant LIMIT": Part("6", "Cell 1", "6")}}},
        "code",
        ("load", ("LIMIT is 6 now, was 5",), ""),
    ),
    (
        "other dependencies",
        {"code": {"dependencies": ["a", "b"]}},
        "code",
        ("load", ("depends on a, b now, was nothing",), ""),
    ),
    ("code that was never noted", {"parts": {}}, None, None),
    ("half as long again", {"task": {"duration": 1.5}}, None, None),
    ("three times as long", {"task": {"duration": 3.0}}, "durations", ("load", 1.0, 3.0, None)),
]


@pytest.mark.parametrize(
    ("changed", "part", "change"), [case[1:] for case in DIFFERENCES], ids=[c[0] for c in DIFFERENCES]
)
def test_differences_only(changed: dict[str, Any], part: str | None, change: Any) -> None:
    diff = compare(rows(), rows(**changed), {})
    found = {name: getattr(diff, name) for name in ("initial", "tasks", "code", "durations", "final")}
    if part is None:
        assert set(found.values()) == {()}
        assert diff.is_empty
        assert "No differences" in str(diff)
        return
    assert not diff.is_empty
    if change is not ...:
        assert change in found[part]
    assert {name for name, changes in found.items() if changes} <= {part, "code"}
    assert "No differences" not in str(diff)


DURATIONS = [
    # seconds that it took otherwise, before, after, whether that is remarkable
    ([1.0, 1.1, 0.9, 1.0, 1.05], 1.0, 1.6, True),
    ([1.0, 3.0, 0.5, 2.0, 1.5], 1.0, 3.9, False),
    ([1.0, 1.0, 1.0, 1.0, 1.0], 1.0, 1.05, False),  # a tenth of a second is worth no word
    ([1.0, 1.0], 1.0, 1.9, False),  # too few to tell
    ([1.0, 1.0], 1.0, 2.1, True),
    ([], 0.001, 0.09, False),
]


@pytest.mark.parametrize(("usual", "before", "after", "is_said"), DURATIONS)
def test_durations_are_measured_by_the_usual_spread(
    usual: list[float],
    before: float,
    after: float,
    is_said: bool,  # noqa: FBT001 - a case
) -> None:
    for one, other in ((before, after), (after, before)):
        diff = compare(rows(task={"duration": one}), rows(task={"duration": other}), {"load": usual})
        assert bool(diff.durations) is is_said
        if is_said:
            assert ("usually" in str(diff)) is (len(usual) >= 5)


def test_what_only_kept_its_difference_is_said_once() -> None:
    year = VALUE | {"key": "year"}
    a, b = (
        [year | {"role": role, "digest": d, "preview": p} for role in ("initial", "final")] for d, p in ("12", "34")
    )
    diff = compare(rows(values=a), rows(values=b), {})
    assert (diff.initial, diff.final) == ((("year", "2", "4", ()),), ())


# -- of a history


def run_of(run_id: str, at: float, value: Any, *, limit: int = 5, name: str = "flights") -> list[Any]:
    source = f"def load(context):\n    return {limit}\n"
    flights = Workflow(name, [Task("load", print, dependencies=(), source=source), Task("gone", print, ("load",))])
    return [
        events.RunStarted(at, run_id, flights, "run", {"year": limit}),
        events.AttemptStarted(at + 1, run_id, "load", 1),
        events.TaskFinished(at + 2, run_id, "load", 1, Outcome.COMPLETED, {"df": value, "tmp": 1}, None, ""),
        events.AttemptStarted(at + 2, run_id, "gone", 1),
        events.TaskFinished(at + 3, run_id, "gone", 1, Outcome.COMPLETED, {"tmp": DELETED}, None, ""),
        events.RunFinished(at + 3, run_id, Status.COMPLETED, {"year": limit, "df": value}, ""),
    ]


def test_by_default_the_latest_two_runs_of_one_workflow(history: History, runs: Any) -> None:
    frame = pd.DataFrame({"a": np.arange(3)})
    runs.say(history, run_of("aaaa", 100, frame))
    runs.say(history, run_of("bbbb", 200, frame))
    runs.say(history, run_of("other", 300, frame, name="weather"))
    runs.say(history, run_of("cccc", 400, frame.assign(b="x"), limit=6))
    diff = history.diff()
    assert isinstance(diff, RunDiff)
    assert (diff.a.run_id, diff.b.run_id) == ("bbbb", "cccc")
    assert diff.initial == (("year", "5", "6", ()),)
    [(key, before, after, details)] = diff.final
    assert (key, before[:27], after[:34]) == ("df", "3 rows × 1 columns: a int64", "3 rows × 2 columns: a int64, b str")
    assert details == ("column b (str) is new",)
    assert "-    return 5\n+    return 6" in diff.code[0].text
    chosen = [history.diff("aaaa"), history.diff(None, "aaaa"), history.diff("aaaa", "cccc")]
    assert [(one.a.run_id, one.b.run_id) for one in chosen] == [("aaaa", "cccc")] * 3
    assert history.diff("cccc", "aaaa").initial == (("year", "6", "5", ()),)
    assert history.diff("aaaa", "bbbb").is_empty
    assert "flights → weather" in str(history.diff("aaaa", "other"))


def test_a_run_that_never_ended_is_compared_by_what_it_held(history: History, runs: Any) -> None:
    runs.say(history, run_of("aaaa", 100, 1))
    runs.say(history, run_of("bbbb", 200, 1)[:3])
    diff = history.diff()
    assert diff.final == (("tmp", None, "1", ()),)
    assert diff.tasks == (("gone", "Completed", "Waiting"),)


def test_there_must_be_two(history: History, runs: Any) -> None:
    with pytest.raises(HistoryError, match="no run yet"):
        history.diff()
    runs.say(history, run_of("aaaa", 100, 1))
    with pytest.raises(HistoryError, match="no other run"):
        history.diff()
    with pytest.raises(HistoryError, match="no run 'x'"):
        history.diff("x", "aaaa")


class Telling:
    """Notes when a pickle of it is read."""

    read: ClassVar[list[int]] = []

    def __setstate__(self, state: object) -> None:
        self.read.append(1)


def test_values_are_never_read(history: History, runs: Any) -> None:
    value = Telling()
    value.held = 1  # type: ignore[attr-defined]  # so that there is a state to set
    runs.say(history, run_of("aaaa", 100, value))
    runs.say(history, run_of("bbbb", 200, 1))
    history.runs()
    Telling.read.clear()
    assert "Telling" in str(history.diff())
    assert Telling.read == []


class Cleaned(HTMLParser):
    """The tags, attributes and text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_its_html_says_what_its_text_says_and_survives_being_cleaned(history: History, runs: Any) -> None:
    runs.say(history, run_of("aaaa", 100, "<b>one</b>"))
    runs.say(history, run_of("bbbb", 200, "<i>two</i>", limit=6))
    diff = history.diff()
    page = Cleaned(diff._repr_mimebundle_()["text/html"])
    assert page.tags <= {"div", "span", "strong", "table", "colgroup", "col", "tr", "td"}
    assert page.attributes <= {"style", "title", "data-diff"}
    for said in ('"<b>one</b>"', '"<i>two</i>"', "-    return 5", "+    return 6", "Initial context", "Final context"):
        assert said in page.text
        assert said in str(diff)
    assert moment(diff.a.started) in page.text
    assert "No differences" in Cleaned(history.diff("aaaa", "aaaa")._repr_mimebundle_()["text/html"]).text


def test_it_needs_no_pandas() -> None:
    code = "import cloaca_nb.history.diff, cloaca_nb.history.diff_rows, sys; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - ours
    assert done.stdout == "False\n"
