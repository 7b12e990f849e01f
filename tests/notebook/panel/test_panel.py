"""The panel: what it tells the page, how often, and what it leaves behind in a real kernel."""

import queue
import subprocess
import sys
import threading
from itertools import count

import nbformat
import pytest
from nbclient import NotebookClient

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.panel.panel import Panel

NUMBER, STATE, STARTED, ENDED, ATTEMPTS, SHARE, NOTE = range(7)
FAILURE = events.Failure("ValueError", "no rows", "Cell In[3], line 2, in clean", "")


def flow(count):
    return Workflow("flow", [Task(f"t{n}", lambda _context: None, (f"t{n - 1}",) if n else ()) for n in range(count)])


def life_of(task_id, started, ended):
    return (
        events.AttemptStarted(started, "r", task_id, 1),
        events.TaskFinished(ended, "r", task_id, 1, Outcome.COMPLETED, {}, None, ""),
    )


def shown_panel(workflow, **options):
    """Return a panel on display, and the list that every message to its page is added to."""
    panel = Panel(workflow, **options)
    panel.show()
    sent = []
    panel._shown.widget.observe(lambda change: sent.append(change.new), "state")
    return panel, sent


def states(message):
    return {row[NUMBER]: row[STATE] for row in message["rows"]}


def test_the_page_gets_times_since_the_run_began():
    workflow = flow(4)
    panel, sent = shown_panel(workflow, clock=lambda: 1_010.0)
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    for event in life_of("t0", 1_000.5, 1_002.0):
        panel(event)
    panel(events.AttemptStarted(1_002.0, "r", "t1", 1))
    panel(events.AttemptFailed(1_003.0, "r", "t1", 1, FAILURE, 1.0))
    panel(events.AttemptStarted(1_004.0, "r", "t2", 1))
    panel(events.ProgressMade(1_005.0, "r", "t2", 1, 3, 12, "files"))
    panel.close()
    assert sent[-1] == {
        "now": 10.0,
        "run": "r",
        "status": "Running",
        "ended": False,
        "error": "",
        "conflicts": [],
        "unseen": 0,
        "cancelling": False,
        "next": None,
        "rows": [
            (0, "Completed", 0.5, 2.0, 1, None, ""),
            (1, "Retrying", 2.0, None, 1, None, "ValueError: no rows"),
            (2, "Running", 4.0, None, 1, 0.25, "3/12 files"),
            (3, "Waiting", None, None, 0, None, ""),
        ],
    }


def written(text):
    return events.OutputWritten(1_001.0, "r", "t0", 1, "stdout", text)


def test_a_page_that_was_loaded_again_learns_how_much_it_cannot_show_below_the_cell():
    workflow = flow(1)
    panel = Panel(workflow, interval=0.01, line=lambda unseen: {"text/plain": f"{unseen} unseen"})
    panel.show()
    widget = panel._shown.widget
    told, answered = queue.Queue(), queue.Queue()
    widget.observe(lambda change: told.put(change.new), "state")
    widget.send = answered.put
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    panel(written("the page that has executed the cell sees this\n"))
    assert told.get(timeout=60)["unseen"] == 0
    state = widget.get_state()["state"]  # as a page asks that knows nothing
    assert (state["late"], state["unseen"]) == (True, 0)
    panel(written("two\nlines\n"))
    assert told.get(timeout=60)["unseen"] == 2
    panel._receive(widget, {"type": "picture"}, None)
    assert answered.get(timeout=60)["line"] == {"text/plain": "2 unseen"}
    panel.close()


def test_the_page_learns_which_tasks_were_taken_from_history():
    workflow = flow(2)
    panel, sent = shown_panel(workflow, clock=lambda: 1_010.0)
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    panel(events.TaskFinished(1_000.5, "r", "t0", 0, Outcome.COMPLETED, {}, None, "unchanged since run b", {}, "run-b"))
    panel.close()
    assert sent[-1]["rows"][0] == (0, "Taken", None, 0.5, 0, None, "unchanged since run b")


def test_what_happened_last_is_always_told_and_few_messages_tell_it():
    workflow = flow(200)
    panel, sent = shown_panel(workflow, interval=3_600)
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    halves = [range(100), range(100, 200)]
    threads = [
        threading.Thread(target=lambda half=half: [panel(e) for n in half for e in life_of(f"t{n}", 1_000.0, 1_001.0)])
        for half in halves
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    panel(events.RunFinished(1_002.0, "r", Status.COMPLETED, {}, ""))
    panel.close()
    (only,) = sent
    assert (only["status"], only["ended"]) == ("Completed", True)
    assert set(states(only).values()) == {"Completed"}


class Ticks(threading.Event):
    """The end of a run that comes after some ticks, before each of which something happens; time doesn't count."""

    def __init__(self, most, happen):
        super().__init__()
        self.most, self.happen, self.waited = most, happen, []

    def wait(self, timeout=None):
        self.happen()
        self.waited.append(timeout)
        return len(self.waited) > self.most


@pytest.mark.parametrize(("tasks", "interval"), [(2, 0.1), (400, 0.25)])
def test_a_page_that_looks_at_a_task_gets_one_message_for_each_tick_too_and_a_last_one(tasks, interval):
    workflow = flow(tasks)
    panel = Panel(workflow, usual=lambda *_, **_asked: {"t1": 2.0}, clock=map(float, count(1_001)).__next__)
    sent = []
    widget = panel.prepare()
    widget.comm.publish_msg = lambda kind, data=None, **_: sent.append((kind, data))
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    say(widget, type="choose", task=0)
    panel._over = ticks = Ticks(20, lambda: panel(wrote("t0", "line\n")))
    panel.show()
    assert panel._told_last.wait(60)
    panel.close()
    told = [data["state"] for kind, data in sent if kind == "comm_msg" and data["method"] == "update"]
    assert len(told) == len(ticks.waited) == 21
    assert all({"state", "chosen"} <= set(state) for state in told)
    assert [state["usual"] for state in told if "usual" in state] == [{"1": 2.0}]
    assert sum(len(state["chosen"]["lines"]) for state in told) == 21
    assert set(ticks.waited) == {interval}


def test_of_many_tasks_only_changes_are_sent_but_a_page_that_asks_gets_all():
    workflow = flow(400)
    panel, sent = shown_panel(workflow, interval=3_600)
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    panel(events.AttemptStarted(1_000.0, "r", "t7", 1))
    widget = panel._shown.widget
    panel.close()
    assert states(sent[-1]) == {7: "Running"}
    asked = states(widget.get_state()["state"])
    assert len(asked) == 400
    assert asked[7] == "Running"


def test_a_click_on_cancel_is_passed_on_and_acknowledged():
    cancelled = threading.Event()
    panel, sent = shown_panel(flow(2), on_cancel=cancelled.set, interval=3_600)
    panel._shown.widget._handle_custom_msg({"type": "something else"}, [])
    assert not cancelled.is_set()
    panel._shown.widget._handle_custom_msg({"type": "cancel"}, [])
    assert cancelled.is_set()
    panel.close()
    assert sent[-1]["cancelling"] is True


@pytest.mark.parametrize("on_cancel", [None, lambda: None])
def test_the_page_has_a_cancel_button_only_if_it_would_do_something(on_cancel):
    panel, _ = shown_panel(flow(1), on_cancel=on_cancel)
    assert panel._shown.widget.graph["cancel"] is (on_cancel is not None)
    panel.close()


def test_the_page_learns_once_what_there_is_to_draw():
    panel, _ = shown_panel(flow(3))
    graph = panel._shown.widget.graph
    panel.close()
    assert [task["id"] for task in graph["tasks"]] == ["t0", "t1", "t2"]
    assert [(edge["source"], edge["target"]) for edge in graph["edges"]] == [("t0", "t1"), ("t1", "t2")]
    assert set(graph["looks"]) >= {outcome.value for outcome in Outcome}


def test_a_panel_that_was_never_shown_or_is_closed_already_closes_in_peace(capsys):
    panel = Panel(flow(1))
    panel.close()
    assert capsys.readouterr().out == ""
    panel.show()
    panel.close()
    first = capsys.readouterr().out
    panel.close()
    assert first
    assert capsys.readouterr().out == ""


# --- the task that is looked at ---


def say(widget, **message):
    widget._handle_custom_msg(message, [])


def wrote(task_id, text, stream="stdout"):
    return events.OutputWritten(1_000.0, "r", task_id, 1, stream, text)


def running(count=2, **options):
    """Return a panel of a run that goes on and is published only at its end, and its widget."""
    workflow = flow(count)
    panel, _ = shown_panel(workflow, **{"interval": 3_600, **options})
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    return panel, panel._shown.widget


def test_the_log_of_the_chosen_task_goes_to_the_page_as_it_grows():
    panel, widget = running()
    panel(wrote("t0", "one\ntwo\n"))
    panel(wrote("t1", "another's\n"))
    say(widget, type="choose", task=0)
    panel._update()
    assert (widget.chosen["task"], widget.chosen["known"]) == (0, 0)
    assert [line.text for line in widget.chosen["lines"]] == ["one", "two"]
    panel(wrote("t0", "three\n", "stderr"))
    panel._update()
    assert (widget.chosen["known"], widget.chosen["first"]) == (2, 2)
    assert widget.chosen["lines"] == [(1, "stderr", "three")]
    whole = widget.get_state()["chosen"]  # as a page that was loaded again asks for it
    assert [line.text for line in whole["lines"]] == ["one", "two", "three"]
    panel.close()


def test_a_task_can_be_looked_at_when_the_run_is_over():
    panel, widget = running()
    panel(wrote("t1", "words\n"))
    panel(events.TaskFinished(1_001.0, "r", "t1", 1, Outcome.FAILED, {}, FAILURE._replace(traceback="Traceback"), ""))
    panel(events.RunFinished(1_002.0, "r", Status.FAILED, {}, "t1 failed"))
    panel.settle()
    assert widget.chosen == {}
    say(widget, type="choose", task=1)
    assert widget.chosen["traceback"] == "Traceback"
    assert widget.chosen["where"] == "Cell In[3], line 2, in clean"
    assert [line.text for line in widget.chosen["lines"]] == ["words"]
    say(widget, type="choose", task=None)
    assert widget.chosen == {}
    panel.close()


@pytest.mark.parametrize("tells_failure", [True, False])
def test_where_no_cell_says_why_a_run_failed_the_panel_does(tells_failure):
    panel, widget = running(tells_failure=tells_failure)
    panel(events.TaskFinished(1_001.0, "r", "t0", 1, Outcome.FAILED, {}, FAILURE, ""))
    panel(events.RunFinished(1_002.0, "r", Status.FAILED, {}, "t0 failed"))
    panel.settle()
    assert (widget.chosen.get("task") == 0) is tells_failure
    panel.close()


# --- other runs ---


def test_a_click_on_resume_or_rerun_is_passed_on_and_its_answer_comes_back():
    wishes = []
    panel, widget = running(on_again=wishes.append)
    answers = []
    widget.send = answers.append
    say(widget, type="again", task=None)
    say(widget, type="again", task=1)
    assert [(wish.workflow, wish.run_id, wish.task_id) for wish in wishes] == [("flow", "", None), ("flow", "", "t1")]
    wishes[0].answer("not now")
    assert answers == [{"type": "answer", "why": "not now"}]
    panel.close()


def test_a_run_that_a_click_has_started_is_told_once_and_after_a_reload():
    wishes = []
    panel, widget = running(on_again=wishes.append)
    panel.settle()
    say(widget, type="again", task=1)
    sent = []
    widget.observe(lambda change: sent.append(change.new), "state")
    wishes[0].granted("r2")
    say(widget, type="choose", task=0)
    assert [message["next"] for message in sent] == [{"run": "r2", "task": 1}]
    assert widget.get_state()["state"]["next"] == {"run": "r2", "task": 1}
    panel.close()


def test_without_a_way_to_start_runs_there_are_no_such_buttons():
    panel, widget = running()
    assert widget.graph["again"] is False
    say(widget, type="again", task=None)
    panel.close()


# --- what it takes usually ---


def test_how_long_tasks_usually_take_is_asked_in_passing_and_with_all_that_is_known_when_the_run_is_over():
    asked = []

    def usual(run_id, *, up_to_date):
        asked.append((run_id, up_to_date))
        return {"t1": 3.0 if up_to_date else 2.0, "a task of old": 3.0}

    panel, widget = running(usual=usual, interval=0.01)
    told = queue.SimpleQueue()
    widget.observe(lambda change: told.put(change.new), "usual")
    assert told.get(timeout=60) == {"1": 2.0}
    panel.settle()
    assert told.get(timeout=60) == {"1": 3.0}
    assert asked == [("r", False), ("r", True)]
    panel.close()


def test_a_panel_that_is_closed_asks_nothing_more():
    asked = []
    panel, _ = running(usual=lambda _, up_to_date: asked.append(up_to_date) or {}, interval=1_000)
    panel.close()
    assert asked == []


# --- its place in the notebook ---


def test_a_page_that_can_shows_the_panel_over_the_picture_from_the_start(capsys):
    workflow = flow(2)
    panel, _ = shown_panel(workflow, interval=0.01)
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    has_picture = threading.Event()
    put = panel._put_picture
    panel._put_picture = lambda: (put(), has_picture.set())
    say(panel._shown.widget, type="place")
    assert has_picture.wait(60)
    panel.close()


def test_a_page_that_leaves_is_told_of_the_widget_when_it_may_be_back():
    now = [1_000.0]
    workflow = flow(2)
    panel, _ = shown_panel(workflow, interval=0.01, clock=lambda: now[0])
    panel(events.RunStarted(1_000.0, "r", workflow, "run", {}))
    announced = threading.Event()
    panel._shown.widget.announce = announced.set
    say(panel._shown.widget, type="leave")
    now[0] += 3
    assert announced.wait(60)
    panel.close()


def test_a_page_that_was_loaded_again_gets_the_picture_that_it_asks_for():
    panel, widget = running()
    answers = []
    widget.send = answers.append
    panel(events.RunFinished(1_002.0, "r", Status.COMPLETED, {}, ""))
    panel.settle()
    say(widget, type="picture")
    panel.close()
    ((answer),) = answers
    assert answer["type"] == "picture"
    assert "<img" in answer["data"]["text/html"]
    assert answer["data"]["text/plain"].startswith("✓ flow  Completed in 2.0 s")


def test_importing_it_loads_neither_pandas_nor_duckdb():
    heavy = "{'pandas', 'duckdb', 'pyarrow', 'numpy'}"
    check = f"import cloaca_nb.notebook.panel.panel, sys; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "\n"


CELL = """
import threading, time
from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.panel.panel import Panel

flow = Workflow("flow", [Task("load", len, ()), Task("clean", len, ("load",))])
panel = Panel(flow, on_cancel=print)
panel.show()
assert panel._shown.widget.comm._reply_subshell_for("any", "the asker's") == "the asker's"
panel(events.RunStarted(time.time(), "r", flow, "run", {}))
for task in flow.tasks:
    panel(events.AttemptStarted(time.time(), "r", task.id, 1))
    panel(events.TaskFinished(time.time(), "r", task.id, 1, Outcome.COMPLETED, {}, None, ""))
panel(events.RunFinished(time.time(), "r", Status.COMPLETED, {}, ""))
panel.close()
assert "cloaca-panel" not in {thread.name for thread in threading.enumerate()}
"""


def test_a_kernel_keeps_the_static_result_and_nothing_else():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, kernel_name="python3", timeout=60, store_widget_state=False).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert set(output.data) == {"text/html", "text/plain"}
    assert output.data["text/plain"].startswith("✓ flow  Completed in")
    assert 'src="data:image/svg+xml;base64,' in output.data["text/html"]
