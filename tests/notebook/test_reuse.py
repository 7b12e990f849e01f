"""What `%cloaca_run` takes from history: after an edit, a failure, another parameter, and one task on its own."""

import pytest

LOAD = "%%cloaca_task load\nrows = [1, 2, 3]"
CLEAN = "%%cloaca_task clean\ngood = [row * rate for row in rows if row < LIMIT]"
REPORT = "%%cloaca_task report\ntotal = sum(good)"
FAILING = "%%cloaca_task report\ntotal = sum(good) / 0"
UNCHANGED, EXECUTED = "unchanged since run", "executed, as"


@pytest.fixture
def flow(cell):
    """A notebook whose workflow has been run once."""
    for text in ("%cloaca_workflow flow", "%%cloaca_params\nrate = 2", "LIMIT = 3", LOAD, CLEAN, REPORT):
        assert cell(text).error is None
    cell("%cloaca_run --no-panel")
    return cell


def reasons(cells, line):
    """Run a line, and return what is said of each task, without the ids of runs."""
    ran = cells(f"result = {line} --no-panel")
    assert ran.error is None, ran.error
    frame = cells.names["result"].tasks
    return {row.task_id: row.reason.rpartition(" run ")[0] or row.reason for row in frame.itertuples()}


def test_what_a_run_was_given_it_is_resumed_with(flow):
    flow("%cloaca_run --param rate=5 --no-panel")
    assert set(reasons(flow, "%cloaca_run --resume").values()) == {"unchanged since"}
    assert flow.names["result"].final_context["total"] == 15


@pytest.mark.parametrize(
    ("edits", "line", "load", "clean", "report"),
    [
        ([], "%cloaca_run --resume", "unchanged since", "unchanged since", "unchanged since"),
        (["LIMIT = 2"], "%cloaca_run --resume", *("unchanged since", "executed, as LIMIT is 2 now, was 3"), "'good'"),
        (
            [],
            "%cloaca_run --resume --param rate=5",
            "unchanged since",
            "'rate' has another value",
            "'good' has another",
        ),
        (["%%cloaca_params\nrate = 7"], "%cloaca_run --resume", "unchanged since", "'rate' has another", "'good' has"),
        ([LOAD + "  # a comment"], "%cloaca_run --resume", "unchanged since", "unchanged since", "unchanged since"),
        ([LOAD + " * 2"], "%cloaca_run --resume", "task body", "'rows' has another", "'good' has another"),
        ([], "%cloaca_run --cached", "unchanged since", "unchanged since", "unchanged since"),
        ([LOAD + " + [9]"], "%cloaca_run --from clean", "taken as it was in", "asked for", "asked for"),
        ([], "%cloaca_run --only clean", "taken as it was in", "asked for", "not asked for"),
    ],
)
def test_what_is_taken_and_why(edits, line, load, clean, report, flow):
    for text in edits:
        assert flow(text).error is None
    said = reasons(flow, line)
    assert [wanted for task, wanted in zip(said, (load, clean, report), strict=True) if wanted not in said[task]] == []


def test_a_failed_run_goes_on_where_it_failed(flow):
    flow(FAILING)
    assert "Task 'report' failed" in str(flow("%cloaca_run --no-panel").error)
    flow(REPORT)
    said = reasons(flow, "%cloaca_run --resume")
    assert said["clean"].startswith("unchanged since")
    assert said["report"].startswith("executed, as it was Failed")
    assert flow.names["result"].final_context["total"] == 6


def test_a_task_is_tried_on_the_latest_values(flow):
    ran = flow("%%cloaca_task report --try\nprint('from', good)\ntotal = sum(good) * 100")
    assert ran.out == "from [2, 4]\n"
    assert ran.shown[-1] == "report tried  ·  total = 600"
    runs = flow.session.history().runs()
    assert list(runs["kind"]) == ["try", "run"]
    assert reasons(flow, "%cloaca_run --resume")["load"].startswith("unchanged since")


def test_a_try_says_what_it_deletes_and_that_it_changes_nothing(flow):
    assert (
        flow("%%cloaca_task drop --try\ndel rows\ncount = 0").shown[-1] == "drop tried  ·  count = 0  ·  deletes rows"
    )
    assert flow("%%cloaca_task look --try\nprint(rows)").shown[-1] == "look tried  ·  sets nothing"


def test_what_was_tried_is_what_a_later_try_reads(flow):
    assert flow(f"{LOAD} + [1]".replace("load", "load --try", 1)).shown[-1] == "load tried  ·  rows = [1, 2, 3, 1]"
    assert flow(CLEAN.replace("clean", "clean --try", 1)).shown[-1] == "clean tried  ·  good = [2, 4, 2]"
    flow("%%cloaca_params\nrate = 10")
    assert flow(CLEAN.replace("clean", "clean --try", 1)).shown[-1] == "clean tried  ·  good = [10, 20, 10]"
    assert flow(REPORT.replace("report", "report --try", 1)).shown[-1] == "report tried  ·  total = 40"
    assert list(flow.session.history().runs()["kind"]) == ["try"] * 4 + ["run"]
    assert flow.session.history().latest("flow") == flow.session.history().resolve()
    assert reasons(flow, "%cloaca_run --only report")["load"].startswith("taken as it was in")
    assert flow.names["result"].final_context["total"] == 6  # a run goes on with runs, not with tries
    assert flow(REPORT.replace("report", "report --try", 1)).shown[-1] == "report tried  ·  total = 6"


def test_tasks_can_be_tried_one_after_the_other_before_any_run(cell):
    for text in ("%cloaca_workflow fresh", "%%cloaca_params\nrate = 2", "LIMIT = 3", LOAD, CLEAN):
        assert cell(text).error is None
    said = str(cell(REPORT.replace("report", "report --after load --try", 1)).error)
    assert "Task 'report' reads 'good', which no run or try has set yet: task 'clean' sets it." in said
    assert "Try 'clean' first, or run the workflow." in said
    assert "reads 'rows'" in str(cell(CLEAN.replace("clean", "clean --try", 1)).error)
    for text, shown in ((LOAD, "rows = [1, 2, 3]"), (CLEAN, "good = [2, 4]")):
        assert cell(text.replace("\n", " --try\n", 1)).shown[-1].endswith(shown)
    assert cell(REPORT.replace("report", "report --after load --try", 1)).shown[-1] == "report tried  ·  total = 6"
    assert cell("%%cloaca_task alone --after report --try\nprint('here')").out == "here\n"
    table = cell("%cloaca_history").value._repr_mimebundle_()
    assert table["text/plain"].count("fresh (try)") == table["text/html"].count("fresh (try)") == 4
    assert "has no run of 'fresh' yet" in str(cell("%cloaca_run --resume").error)


def test_a_task_that_fails_when_it_is_tried_fails_its_cell(flow):
    error = flow("%%cloaca_task report --try\ntotal = sum(good) / 0").error
    assert "ZeroDivisionError: division by zero" in str(error)


def test_what_differs_between_two_runs(flow):
    flow("%cloaca_run --param rate=5 --no-panel")
    flow("difference = %cloaca_diff")
    assert "rate  2 → 5" in str(flow.names["difference"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%cloaca_run --cached --only clean", ["--cached and --only exclude each other"]),
        ("%cloaca_run --only clea", ["no task 'clea'", "Did you mean 'clean'?"]),
        ("%cloaca_run --from nothing", ["no task 'nothing'"]),
        ("%cloaca_run --resume 0000", ["no run '0000'", "%cloaca_history"]),
        ("%cloaca_diff 0000", ["no run '0000'"]),
        ("%cloaca_diff", ["compare"]),
    ],
)
def test_wrong_lines_say_what_is_right(line, said, flow):
    message = str(flow(line).error)
    assert [word for word in said if word not in message] == [], message


@pytest.mark.parametrize("line", ["%cloaca_run --resume", "%cloaca_run --only clean", "%cloaca_run --from clean"])
def test_a_parameter_that_is_the_earlier_runs_is_told(line, flow):
    flow("earlier = %cloaca_run --param rate=5 --no-panel")
    name = flow.names["earlier"].run_id[-8:]
    said = flow(f"{line} --no-panel")
    assert f"parameters as in run {name}: rate = 5\n" in said.out
    assert not said.err
    assert "parameters as in" not in flow(f"{line} --param rate=5 --no-panel").out


def test_of_parameters_that_are_the_notebooks_own_nothing_is_said(flow):
    assert flow("%cloaca_run --resume --no-panel").err == ""
    flow("%%cloaca_params\nrate = 9")
    assert flow("%cloaca_run --resume --no-panel").err == ""
    flow("%cloaca_workflow --remove report")
    flow("%%cloaca_params\nrate = 9\napi_token = ''")
    told = [flow(f"%cloaca_run {line} --no-panel").err for line in ("--param api_token=hush-hush", "--only load")]
    assert "hush" not in "".join(told)


def test_what_was_taken_is_told_from_what_ran(flow):
    flow("earlier = %cloaca_run --no-panel")
    flow("result = %cloaca_run --from report --no-panel")
    assert "3 tasks: 1 completed, 2 taken" in flow.names["result"]._repr_html_()
    newest = flow("%cloaca_history --runs 1").value._repr_mimebundle_()["text/plain"].splitlines()[1]
    assert "  1 + 2 taken  " in newest
    assert newest.endswith(f"went on with {flow.names['earlier'].run_id[-8:]}")


def test_the_name_of_a_workflow_is_no_runs(flow):
    assert "no run 'flow'. That is a workflow" in str(flow("%cloaca_run --resume flow").error)
