import io
from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.terminal.marks import console_on, mark
from cloaca_nb.terminal.progress import MOST_LINES, LineProgress, LiveProgress, progress_on

START = 1_780_000_000.0
RUN = "01890000"
FAILURE = events.Failure("ValueError", "no rows\nin any table", "Cell In[3], line 2, in join", "…")


def started(*task_ids: str) -> events.RunStarted:
    tasks = [Task(task_id, print, dependencies=()) for task_id in task_ids]
    return events.RunStarted(START, RUN, Workflow("flights", tasks), "run", {})


def begins(task_id: str, at: float = 0.0, attempt: int = 1) -> events.AttemptStarted:
    return events.AttemptStarted(START + at, RUN, task_id, attempt)


def prints(task_id: str, stream: str, text: str) -> events.OutputWritten:
    return events.OutputWritten(START, RUN, task_id, 1, stream, text)


def reports(task_id: str, done: float, total: float | None, message: str = "") -> events.ProgressMade:
    return events.ProgressMade(START, RUN, task_id, 1, done, total, message)


def fails(task_id: str, retry_in: float | None = None) -> events.AttemptFailed:
    return events.AttemptFailed(START, RUN, task_id, 1, FAILURE, retry_in)


def over(task_id: str, outcome: Outcome, at: float = 1.0, *, attempt: int = 1, reason: str = "") -> events.TaskFinished:
    failure = FAILURE if outcome is Outcome.FAILED else None
    return events.TaskFinished(START + at, RUN, task_id, attempt, outcome, {}, failure, reason)


def taken(task_id: str, reason: str) -> events.TaskFinished:
    return events.TaskFinished(START, RUN, task_id, 0, Outcome.COMPLETED, {}, None, reason, {}, "01a1fccf-09e9d5f2")


ended = events.RunFinished(START + 9, RUN, Status.COMPLETED, {}, "")


class Stream(io.TextIOWrapper):
    """A text stream in memory, with an encoding, that may say that it is a terminal."""

    def __init__(self, encoding: str = "utf-8", *, is_terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    @property
    def text(self) -> str:
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rich takes from the environment, as on an ordinary terminal of 80 columns and 24 lines."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)


LONG = "input() in a task has nobody to ask. " + "Ask in a cell. " * 9
LINES = [
    (
        "failed with much to say",
        [over("join", Outcome.FAILED)._replace(failure=FAILURE._replace(message=LONG))],
        "✕ join  ValueError: input() in a task has nobody to ask (Cell In[3], line 2)\n",
    ),
    ("completed", [begins("join"), over("join", Outcome.COMPLETED, 0.42)], "✓ join  420 ms\n"),
    (
        "completed at the second attempt",
        [begins("join"), fails("join", 1.0), begins("join", 1, 2), over("join", Outcome.COMPLETED, 2.0, attempt=2)],
        "↻ join  ValueError: no rows (Cell In[3], line 2)  again in 1.0 s\n✓ join  2.0 s  after 2 attempts\n",
    ),
    (
        "failed: the first line of the message, and the place",
        [begins("join"), fails("join"), over("join", Outcome.FAILED)],
        "✕ join  ValueError: no rows (Cell In[3], line 2)\n",
    ),
    ("skipped", [over("join", Outcome.SKIPPED, reason="because clean failed")], "⤼ join  because clean failed\n"),
    ("cancelled", [over("join", Outcome.CANCELLED, reason="because …")], "⊘ join  because …\n"),
    (
        "taken from history, with a warning",
        [taken("join", "unchanged since run 09e9d5f2, but a.csv is newer")],
        "↶ join  taken from run 09e9d5f2: unchanged since run 09e9d5f2, but a.csv is newer\n",
    ),
    ("taken from history", [taken("join", "unchanged since run 09e9d5f2")], "↶ join  taken from run 09e9d5f2\n"),
    (
        "executed again for a short reason",
        [begins("join"), over("join", Outcome.COMPLETED, 0.42, reason="executed, as LIMIT is 6 now, was 5")],
        "✓ join  420 ms  executed, as LIMIT is 6 now, was 5\n",
    ),
    (
        "executed again for a long reason",
        [begins("join"), over("join", Outcome.COMPLETED, 0.42, reason=f"executed, as {'x' * 80}")],
        "✓ join  420 ms\n",
    ),
    (
        "never in the middle of a task's line",
        [begins("join"), prints("join", "stderr", "half"), over("join", Outcome.COMPLETED, 0.5)],
        "\n✓ join  500 ms\n",
    ),
    (
        "stdout is elsewhere",
        [begins("join"), prints("join", "stdout", "half"), over("join", Outcome.COMPLETED, 0.5)],
        "✓ join  500 ms\n",
    ),
]


def test_who_asks_is_told_in_full_why_a_task_was_executed_or_taken() -> None:
    stream, long = Stream(), f"executed, as {'x' * 80}"
    with LineProgress(console_on(stream), verbose=True) as progress:
        for event in (started("load", "join"), taken("load", "unchanged since run 09e9d5f2"), begins("join")):
            progress.observe(event)
        progress.observe(over("join", Outcome.COMPLETED, 0.42, reason=long))
    assert stream.text == f"↶ load  taken from run 09e9d5f2: unchanged since run 09e9d5f2\n✓ join  420 ms  {long}\n"


def test_a_frame_shows_what_was_taken_from_history() -> None:
    lines = frame(started("load", "join"), taken("load", "unchanged since run 09e9d5f2"), begins("join"))
    assert "↶ load  taken from run 09e9d5f2" in lines


@pytest.mark.parametrize(("said", "expected"), [case[1:] for case in LINES], ids=[case[0] for case in LINES])
def test_without_a_terminal_each_fact_is_a_plain_line(said: Sequence[events.Event], expected: str) -> None:
    stream = Stream()
    with LineProgress(console_on(stream)) as progress:
        for event in (started("join"), *said, ended):
            progress.observe(event)
    assert stream.text == expected


@pytest.mark.parametrize("outcome", list(Outcome))
def test_marks_degrade_where_the_characters_are_missing(outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    symbol, plain = mark(console_on(Stream()), outcome).plain, mark(console_on(Stream("ascii")), outcome).plain
    monkeypatch.setenv("TERM", "dumb")
    on_dumb_terminal = mark(console_on(Stream(is_terminal=True)), outcome).plain
    assert not symbol.isascii()
    assert plain.isascii()
    assert on_dumb_terminal == plain


def frame(*said: events.Event, at: float = 2.0, encoding: str = "utf-8") -> list[str]:
    progress = LiveProgress(console_on(Stream(encoding, is_terminal=True)), clock=lambda: START + at)
    for event in said:
        progress.observe(event)
    return progress.frame().plain.splitlines()


def test_a_frame_shows_running_and_ended_tasks_in_the_order_in_which_they_began() -> None:
    lines = frame(
        started("load", "weather", "join", "report"),
        begins("load"),
        begins("weather", 0.5),
        reports("weather", 3, 10, "June"),
        over("load", Outcome.COMPLETED, 1.5),
        encoding="ascii",
    )
    assert lines == [
        "+ load     1.5 s",
        f"{lines[1][0]} weather  1.5 s  3/10  June",
        "1/4 done, 1 running, 2.0 s",
    ]


def test_a_task_that_waits_for_its_next_attempt_says_why() -> None:
    lines = frame(started("load", "join"), begins("join"), fails("join", 5.0))
    assert lines[0] == "↻ join  ValueError: no rows (Cell In[3], line 2)"


def test_before_the_run_begins_there_is_nothing_to_show() -> None:
    assert frame() == []


def test_the_last_frame_leaves_the_counts_to_the_summary() -> None:
    lines = frame(started("load"), begins("load"), over("load", Outcome.COMPLETED, 0.25), ended)
    assert lines == ["✓ load  250 ms"]


def test_the_last_frame_of_many_tasks_shows_only_the_failed_ones() -> None:
    ids = [f"task_{number}" for number in range(100)]
    ends = [over(one, Outcome.FAILED if one == "task_42" else Outcome.COMPLETED) for one in ids]
    assert frame(started(*ids), *map(begins, ids), *ends, ended) == [
        "✕ task_42  ValueError: no rows (Cell In[3], line 2)"
    ]


@given(
    states=st.lists(st.sampled_from(["waits", "runs", *Outcome.__members__.values()]), min_size=1, max_size=120),
    height=st.integers(1, 60),
)
def test_a_frame_fits_the_screen_and_counts_what_it_hides(states: list[str], height: int) -> None:
    final = (Outcome.COMPLETED, Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED)
    states = [state if state in final or state == "runs" else "waits" for state in states]
    ids = [f"t{number}" for number in range(len(states))]
    console = console_on(Stream(is_terminal=True))
    console.size = (80, height)
    progress = LiveProgress(console, clock=lambda: START + 2)
    progress.observe(started(*ids))
    for one, state in zip(ids, states, strict=True):
        if state != "waits":
            progress.observe(begins(one))
        if state in final:
            progress.observe(over(one, Outcome(state)))
    *tasks, counts = progress.frame().plain.splitlines()
    hidden = int(tasks.pop().split()[1]) if tasks and tasks[-1].endswith("more running") else 0
    shown = [line.split()[1] for line in tasks]
    running = {one for one, state in zip(ids, states, strict=True) if state == "runs"}
    assert len(shown) <= max(1, min(MOST_LINES, height - 4))
    assert len(running & set(shown)) + hidden == len(running)
    assert counts.startswith(f"{sum(state in final for state in states)}/{len(ids)} done")


PLACES = {
    "a terminal": (True, {}, LiveProgress),
    "no terminal": (False, {}, LineProgress),
    "a shell line of a notebook": (True, {"JPY_PARENT_PID": "7"}, LineProgress),
}


@pytest.mark.parametrize("place", PLACES)
def test_only_what_can_be_repainted_is(place: str) -> None:
    is_terminal, environ, kind = PLACES[place]
    assert isinstance(progress_on(console_on(Stream(is_terminal=is_terminal)), environ=environ), kind)
