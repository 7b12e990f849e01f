"""Tables: what stays in a saved notebook, as text to the letter and as HTML that survives being cleaned."""

import re
from html.parser import HTMLParser

from cloaca_nb.core import events
from cloaca_nb.core.conflict import Conflict
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.record import RunRecord
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.drawing.layout import lay_out
from cloaca_nb.notebook.drawing.table import going_html, going_text, run_html, run_text, workflow_html, workflow_text

WORKFLOW = Workflow(
    "delays",
    [
        Task("load", lambda _context: None, (), keys=Keys(sets=("rows",))),
        Task("clean", lambda _context: None, keys=Keys(("rows",))),
        Task("report", lambda _context: None, ("clean",)),
        Task("archive", lambda _context: None, ("load",)),
    ],
)
FAILURE = events.Failure("ValueError", "rows < 1\n& more", "Cell In[3], line 2, in clean", "")


def run_of(workflow, *facts):
    record = RunRecord()
    for fact in (events.RunStarted(100.0, "r", workflow, "run", {}), *facts):
        record.observe(fact)
    return record


def failed_run():
    return run_of(
        WORKFLOW,
        events.AttemptStarted(100.0, "r", "load", 1),
        events.TaskFinished(102.0, "r", "load", 1, Outcome.COMPLETED, {}, None, ""),
        events.AttemptStarted(102.0, "r", "clean", 1),
        events.AttemptFailed(102.5, "r", "clean", 1, FAILURE, 0.1),
        events.AttemptStarted(102.6, "r", "clean", 2),
        events.AttemptStarted(102.0, "r", "archive", 1),
        events.ProgressMade(103.0, "r", "archive", 1, 30, 120, "files"),
        events.AttemptFailed(103.5, "r", "clean", 2, FAILURE, None),
        events.TaskFinished(103.5, "r", "clean", 2, Outcome.FAILED, {}, FAILURE, ""),
        events.TaskFinished(103.5, "r", "report", 0, Outcome.SKIPPED, {}, None, "because clean failed"),
    )


class Page(HTMLParser):
    """The tags and attributes of a text, and the words in each table row."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.rows = set(), set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append((dict(attrs), []))

    def handle_data(self, data):
        if self.rows:
            self.rows[-1][1].append(data)


def test_a_run_as_text():
    assert run_text(failed_run(), now=104.0) == (
        "● delays  Running in 4.0 s  (4 tasks: 1 running, 1 completed, 1 failed, 1 skipped)\n"
        "  ✓  load          2.0 s\n"
        "  ✕  clean         1.5 s  2 attempts  ValueError: rows < 1 & more  Cell In[3], line 2, in clean\n"
        "  ⤼  report      skipped  because clean failed\n"
        "  ●  archive       2.0 s  30/120 files"
    )


def test_what_holds_the_place_of_a_run_that_goes_on_says_nothing_that_will_be_wrong():
    record = failed_run()
    html = going_html(record, key="k")
    assert 'data-cloaca-panel="k"' in html
    for said in (going_text(record), html):
        assert re.search(r"Began on \d{4}-\d\d-\d\d at \d\d:\d\d\. .* how it ended: %cloaca_history r tells", said)
        assert "%cloaca_run --resume" in said
        assert "completed" not in said
        assert "Running in" not in said


def test_a_failed_run_says_once_which_task_failed_and_leaves_the_line_to_the_traceback():
    record = failed_run()
    record.observe(events.RunFinished(105.0, "r", Status.FAILED, {}, "Task 'clean' failed: ValueError: rows < 1"))
    assert run_text(record, now=200.0).splitlines()[:3] == [
        "✕ delays  Failed in 5.0 s  (4 tasks: 1 running, 1 completed, 1 failed, 1 skipped)",
        "  ✓  load          2.0 s",
        "  ✕  clean         1.5 s  2 attempts  ValueError: rows < 1 & more",
    ]
    html = run_html(record, lay_out(WORKFLOW), 200.0)
    assert html.count("rows &lt; 1") == 1
    assert "Cell In[3]" not in html


def taken(task_id, reason="unchanged since run 09e9d5f2"):
    return events.TaskFinished(100.1, "r", task_id, 0, Outcome.COMPLETED, {}, None, reason, {}, "0198-09e9d5f2")


def test_tasks_that_were_taken_from_history_are_shown_as_such_with_the_reason():
    executed = events.TaskFinished(102.0, "r", "clean", 1, Outcome.COMPLETED, {}, None, "executed, as LIMIT is 6 now")
    record = run_of(WORKFLOW, taken("load"), events.AttemptStarted(100.5, "r", "clean", 1), executed, taken("archive"))
    assert run_text(record, now=104.0) == (
        "● delays  Running in 4.0 s  (4 tasks: 1 waiting, 1 completed, 2 taken)\n"
        "  ↶  load          taken  unchanged since run 09e9d5f2\n"
        "  ✓  clean         1.5 s  executed, as LIMIT is 6 now\n"
        "  ◌  report      waiting\n"
        "  ↶  archive       taken  unchanged since run 09e9d5f2"
    )
    page = Page(run_html(record, lay_out(WORKFLOW), 104.0))
    assert [attributes.get("data-state") for attributes, _ in page.rows] == [
        None,
        "Taken",
        "Completed",
        "Waiting",
        "Taken",
    ]
    assert page.rows[1][1] == ["↶", "load", "taken", "unchanged since run 09e9d5f2"]


def test_of_several_failures_the_table_has_the_lines_that_the_traceback_lacks():
    record = failed_run()
    record.observe(events.TaskFinished(104.0, "r", "archive", 1, Outcome.FAILED, {}, FAILURE, ""))
    record.observe(events.RunFinished(105.0, "r", Status.FAILED, {}, "Task 'clean' failed."))
    lines = run_text(record, now=200.0).splitlines()
    assert [line.split()[1] for line in lines if "Cell In[3], line 2" in line] == ["archive"]


def test_a_run_that_failed_as_a_whole_says_why():
    record = run_of(WORKFLOW)
    record.observe(events.RunFinished(105.0, "r", Status.FAILED, {}, "Not over in < 5 s"))
    assert run_text(record, now=200.0).splitlines()[1] == "  Not over in < 5 s"
    assert "Not over in &lt; 5 s" in run_html(record, lay_out(WORKFLOW), 200.0)


def test_conflicts_are_a_line_each():
    record = run_of(WORKFLOW)
    conflicts = (Conflict("rate", "report", ("<a>", "b")), Conflict("year", "", ("a", "b")))
    record.observe(events.RunFinished(105.0, "r", Status.COMPLETED, {}, "", conflicts))
    assert run_text(record, now=200.0).splitlines()[1:3] == [
        "  ! 'rate' was set differently by <a>, b; task 'report' has that of b.",
        "  ! 'year' was set differently by a, b; the final context has that of b.",
    ]
    html = run_html(record, lay_out(WORKFLOW), 200.0)
    assert "set differently by &lt;a&gt;, b; task" in html
    assert html.count("set differently") == 2


def test_a_time_too_short_to_count_is_escaped_in_html():
    record = run_of(WORKFLOW, events.AttemptStarted(100.0, "r", "load", 1))
    assert "&lt; 1 ms" in run_html(record, lay_out(WORKFLOW), 100.0)


def test_a_run_as_html_has_a_row_for_each_task():
    page = Page(run_html(failed_run(), lay_out(WORKFLOW), 104.0))
    _, load, clean, report, archive = page.rows
    states = [attributes.get("data-state") for attributes, _ in page.rows]
    assert states == [None, "Completed", "Failed", "Skipped", "Running"]
    assert load[1] == ["✓", "load", "2.0 s"]
    assert clean[1][2:] == [
        "1.5 s",
        "2 attempts",
        " ",
        "ValueError: rows < 1\n& more",
        " ",
        "Cell In[3], line 2, in clean",
    ]
    assert report[1] == ["⤼", "report", "skipped", "because clean failed"]
    assert archive[1] == ["●", "archive", "2.0 s", "30/120 files"]


def test_nothing_in_it_is_lost_when_an_untrusted_notebook_is_cleaned():
    page = Page(run_html(failed_run(), lay_out(WORKFLOW), 104.0) + workflow_html(WORKFLOW, lay_out(WORKFLOW)))
    assert page.tags == {"div", "span", "strong", "img", "table", "thead", "tbody", "tr", "th", "td"}
    assert {name for name in page.attributes if not name.startswith("data-")} == {"style", "src", "alt", "title"}


def test_bars_stay_on_the_time_line():
    html = run_html(failed_run(), lay_out(WORKFLOW), 104.0)
    bars = [(float(left), float(width)) for left, width in re.findall(r"margin-left:([\d.]+)%;width:([\d.]+)%", html)]
    assert bars == [(0.0, 50.0), (50.0, 37.5), (50.0, 50.0)]


def test_of_many_tasks_the_quickest_are_left_out():
    workflow = Workflow("many", [Task(f"t{n}", lambda _context: None, ()) for n in range(1_000)])
    facts = [
        fact
        for n in range(999)
        for fact in (
            events.AttemptStarted(100.0, "r", f"t{n}", 1),
            events.TaskFinished(100.0 + n, "r", f"t{n}", 1, Outcome.COMPLETED, {}, None, ""),
        )
    ]
    lines = run_text(run_of(workflow, *facts), now=1100.0).splitlines()
    assert [line.split()[1] for line in lines[1:-1]] == [f"t{n}" for n in range(800, 1_000)]
    assert lines[-1] == "  … and 800 more tasks, the quickest of this run; history has them all."


def test_a_run_that_has_not_begun_has_no_tasks_yet():
    assert run_text(RunRecord(), now=0.0).splitlines() == ["●   Running in < 1 ms  (no tasks yet)"]


def test_a_workflow_as_text():
    assert workflow_text(WORKFLOW) == (
        "delays: 4 tasks, 3 dependencies (1 inferred)\n"
        "  load\n"
        "  clean    after load (inferred)\n"
        "  report   after clean\n"
        "  archive  after load"
    )


def test_a_workflow_as_html_explains_the_dashed_edges():
    assert "Dashed: inferred" in workflow_html(WORKFLOW, lay_out(WORKFLOW))
    plain = Workflow("<plain>", [Task("only", lambda _context: None, ())])
    html = workflow_html(plain, lay_out(plain))
    assert "Dashed" not in html
    assert "&lt;plain&gt;" in html
    assert "1 task, 0 dependencies" in html
