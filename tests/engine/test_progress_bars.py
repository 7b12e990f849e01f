"""tqdm's bars in tasks: progress while they run, and a line in the end."""

import asyncio
import io
import subprocess
import sys

import pytest
import tqdm
import tqdm.asyncio

from cloaca_nb.core.events import OutputWritten, ProgressMade
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.engine.processes import check_loky
from cloaca_nb.errors import MissingExtraError

WAIT = 60
EACH = {"mininterval": 0, "miniters": 1}  # tqdm shows every state


@pytest.fixture
def ran(engine, events):
    """Run a body; return its progress as (done, total, message), and what it wrote."""

    def run(body, **options):
        task = Task("t", body, (), keys=Keys(), **options)
        result = engine.start(Workflow("w", [task]), {}).wait(WAIT)
        assert result.status == "Completed", result.error_message
        progress = [(one.done, one.total, one.message) for one in events if isinstance(one, ProgressMade)]
        return progress, "".join(one.text for one in events if isinstance(one, OutputWritten))

    return run


def a_bar(_context):
    for _ in tqdm.tqdm(range(400), desc="rows", **EACH):
        pass


async def an_async_bar(_context):
    async for _ in tqdm.asyncio.tqdm(numbers(), total=400, desc="rows", **EACH):
        await asyncio.sleep(0)


async def numbers():
    for number in range(400):
        yield number


def imported_there(_context):
    import tqdm  # noqa: PLC0415 - as a body in another process does

    for _ in tqdm.tqdm(range(400), desc="rows", mininterval=0, miniters=1):
        pass


def has_processes():
    try:
        check_loky()
    except MissingExtraError:
        return False
    return True


in_process = pytest.param(
    imported_there, {"executor": "process"}, marks=pytest.mark.skipif(not has_processes(), reason="needs the extra")
)


@pytest.mark.parametrize(("body", "options"), [(a_bar, {}), (an_async_bar, {"is_async": True}), in_process])
def test_a_bar_is_the_tasks_progress_and_one_line_in_the_end(body, options, ran):
    progress, text = ran(body, **options)
    assert progress[-1] == (400, 400, "rows")
    assert len(progress) < 100  # of 400 states, shown as fast as they come
    assert {one[1:] for one in progress} == {(400, "rows")}
    assert text.count("\n") == 1
    assert text.startswith("rows: 100%|")
    assert "400/400" in text


def by_hand(_context):
    bar = tqdm.tqdm(total=10, **EACH)
    bar.set_description("files")
    for n in range(7):
        bar.update()
        bar.set_postfix(loss=n)
    # neither closed nor finished: it is when the body's own names are gone


def nested(_context):
    for _ in tqdm.tqdm(range(3), desc="epochs", **EACH):
        for _ in tqdm.tqdm(range(5), desc="batches", leave=False, **EACH):
            pass


def one_after_the_other(_context):
    for name in ("first", "second"):
        for _ in tqdm.tqdm(range(2), desc=name, **EACH):
            pass


def writing(_context):
    for n in tqdm.tqdm(range(2), desc="rows", **EACH):
        tqdm.tqdm.write(f"row {n}", file=sys.stderr)


def unknown_total(_context):
    for _ in tqdm.tqdm(iter(range(3)), **EACH):
        pass


def told_to_leave_nothing(_context):
    for _ in tqdm.tqdm(range(2), desc="rows", leave=False, **EACH):
        pass


CASES = [
    ("updated by hand", by_hand, (7, 10, "files, loss=6"), ["files:  70%|"]),
    ("nested", nested, (3, 3, "epochs"), ["epochs: 100%|"]),
    ("one after the other", one_after_the_other, (2, 2, "second"), ["first: 100%|", "second: 100%|"]),
    ("with lines between", writing, (2, 2, "rows"), ["row 0", "row 1", "rows: 100%|"]),
    ("without a total", unknown_total, (3, None, ""), ["3it [00:00"]),
    ("that leaves nothing", told_to_leave_nothing, (2, 2, "rows"), []),
]


@pytest.mark.parametrize(("what", "body", "last", "lines"), CASES, ids=[case[0] for case in CASES])
def test_bars(what, body, last, lines, ran):
    progress, text = ran(body)
    assert progress[-1] == last, what
    found = text.splitlines()
    assert len(found) == len(lines), text
    assert all(line.startswith(begin) for line, begin in zip(found, lines, strict=True)), text


def test_bars_of_tasks_that_run_at_once(engine, events):
    bodies = [lambda _, n=n: [None for _ in tqdm.tqdm(range(50), desc=f"bar {n}", **EACH)] and None for n in range(4)]
    tasks = [Task(f"t{n}", body, (), keys=Keys()) for n, body in enumerate(bodies)]
    assert engine.start(Workflow("w", tasks), {}).wait(WAIT).status == "Completed"
    for number in range(4):
        mine = [event for event in events if getattr(event, "task_id", "") == f"t{number}"]
        assert {one.message for one in mine if isinstance(one, ProgressMade)} == {f"bar {number}"}
        (line,) = [one.text for one in mine if isinstance(one, OutputWritten)]
        assert line.startswith(f"bar {number}: 100%|")


def test_a_bar_on_a_file_of_the_users_is_drawn_there(ran):
    own = io.StringIO()
    progress, text = ran(lambda _: [None for _ in tqdm.tqdm(range(2), file=own, **EACH)] and None)
    assert (progress, text) == ([], "")
    assert "2/2" in own.getvalue()


def test_a_bar_that_outlives_its_task_is_silent(engine, events, capsys):
    kept = []
    task = Task("t", lambda _: kept.append(tqdm.tqdm(total=3, **EACH)), (), keys=Keys())
    engine.start(Workflow("w", [task]), {}).wait(WAIT)
    said = len(events)
    kept[0].update()
    kept[0].close()
    assert len(events) == said
    assert capsys.readouterr() == ("", "")


def test_a_bar_outside_of_tasks_is_drawn(engine, capsys):
    engine.start(Workflow("w", [Task("t", a_bar, (), keys=Keys())]), {}).wait(WAIT)
    for _ in tqdm.tqdm(range(2), desc="mine", **EACH):
        pass
    assert "\rmine:  50%|" in capsys.readouterr().err


def test_nothing_imports_tqdm():
    code = "import sys, cloaca_nb.engine.output as o; o.capture.start(); o.capture.stop(); print('tqdm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == "False\n"
