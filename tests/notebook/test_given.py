"""What a run was given is kept by those that go on with it, until the notebook has another value for it."""

import pytest

TASK = "%%cloaca_task check\nkept = a\nassert a > 0"
DERIVED = "%%cloaca_params\na = 10\nb = a * 2"
BOTH = "%%cloaca_task check\nkept = (a, b)"
RUN, RESUME = "%cloaca_run", "%cloaca_run --resume"


@pytest.fixture
def notebook(cell):
    """A notebook with one parameter, that has not been run."""
    for text in ("%cloaca_workflow kept", "%%cloaca_params\na = 7", TASK):
        assert cell(text).error is None
    return cell


def kept_after(notebook, *lines):
    """Execute cells, whether they fail or not, and return what the task of the last run has kept."""
    for line in lines:
        if not line.startswith(RUN):
            assert notebook(line).error is None
        else:
            notebook(f"result = {line} --no-panel")
    return notebook.names["result"].final_context["kept"]


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([f"{RUN} --param a=5", RESUME], 5),
        ([f"{RUN} --param a=5", RESUME, RESUME], 5),
        ([f"{RUN} --param a=5", "a = 9", RESUME], 9),
        ([f"{RUN} --param a=5", "%%cloaca_params\na = 11", RESUME], 11),
        ([f"{RUN} --param a=5", "%%cloaca_params\na = 7", RESUME], 5),
        ([f"{RUN} --param a=5", "a = 9", f"{RESUME} --param a=3"], 3),
        ([f"{RUN} --param a=5", "a = 9", RESUME, "a = 7", RESUME], 7),
        ([f"{RUN} --param a=5", RESUME, "a = 9", RESUME], 9),
        ([f"{RUN} --param a=7", "a = 9", RESUME], 9),
        ([f"{RUN} --param a=7", RESUME], 7),
        ([f"{RUN} --param a=0", "a = 9", RESUME], 9),
        (["a = 1", RUN, "a = 2", RESUME], 2),
        (["a = 1", RUN, "a = 2", f"{RUN} --only check"], 1),
        (["a = 1", RUN, "a = 2", f"{RUN} --only check", "a = 4", RESUME], 4),
        (["a = 1", RUN, "a = 2", f"{RUN} --from check", RESUME], 2),
        ([f"{RUN} --param a=5", f"{RUN} --only check", RESUME], 5),
        ([f"{RUN} --param a=5", f"{RUN} --only check", "a = 4", RESUME], 4),
        ([f"{RUN} --param a=5", "a = 4", f"{RUN} --only check"], 5),
        ([f"{RUN} --param a=5", "a = 4", f"{RUN} --only check", RESUME], 4),
        ([RUN, f"{RUN} --only check --param a=5", RESUME], 5),
        ([DERIVED, BOTH, f"{RUN} --param a=1", RESUME], (1, 2)),
        ([DERIVED, BOTH, f"{RUN} --param b=1", RESUME], (10, 1)),
        ([DERIVED, BOTH, f"{RUN} --param a=1", "a = 3", RESUME], (3, 6)),
        ([DERIVED, BOTH, f"{RUN} --param b=1", "a = 3", RESUME], (3, 6)),
        ([DERIVED, BOTH, f"{RUN} --param a=1", "b = 5", RESUME], (1, 5)),
        ([DERIVED, BOTH, "a = 5", f"{RUN} --param b=1", RESUME], (5, 1)),
        ([DERIVED, BOTH, "a = 5", f"{RUN} --param b=1", RESUME, RESUME], (5, 1)),
        ([DERIVED, BOTH, "a = 5", f"{RUN} --param b=1", "a = 3", RESUME], (3, 6)),
        ([DERIVED, BOTH, "a = 5", f"{RUN} --param b=1", "del a", RESUME], (10, 20)),
        ([DERIVED, BOTH, "a = 5", f"{RUN} --param b=1", "b = 7", RESUME], (5, 7)),
        ([DERIVED, BOTH, "a = 5", f"{RUN} --param b=1", f"{RESUME} --param a=2"], (2, 4)),
        ([DERIVED, BOTH, RUN, f"{RUN} --only check --param a=3"], (3, 6)),
        ([DERIVED, BOTH, RUN, f"{RUN} --from check --param a=3"], (3, 6)),
        ([DERIVED, BOTH, RUN, f"{RUN} --only check --param a=3", RESUME], (3, 6)),
        ([DERIVED, BOTH, RUN, "a = 5", f"{RUN} --only check"], (10, 20)),
        ([DERIVED, BOTH, f"{RUN} --param b=1", f"{RUN} --only check"], (10, 1)),
        ([DERIVED, BOTH, "a = 2000", RUN, "%cloaca_pull b", "a = 3000", RUN], (3000, 6000)),
        ([DERIVED, BOTH, "a = 2000", RUN, "%cloaca_pull a b", RUN], (2000, 4000)),
        ([DERIVED, BOTH, "a = 2000", RUN, "%cloaca_pull b", "b = 4", RUN], (2000, 4)),
        ([DERIVED, BOTH, f"{RUN} --param b=1000", "%cloaca_pull b", "a = 3000", RUN], (3000, 1000)),
        ([DERIVED, BOTH, f"{RUN} --param a=1000", "%cloaca_pull a", RUN], (1000, 2000)),
    ],
)
def test_what_a_resumed_run_goes_on_with(lines, kept, notebook):
    assert kept_after(notebook, *lines) == kept


def test_the_reason_names_what_has_another_value(notebook):
    kept_after(notebook, f"{RUN} --param a=5", "a = 9", RESUME)
    [reason] = notebook.names["result"].tasks["reason"]
    assert reason == "executed, as 'a' has another value now"


def test_the_own_value_beside_a_given_one_is_no_part_of_the_context(notebook):
    kept_after(notebook, f"{RUN} --param a=5", f"{RUN} --param a=6")
    history = notebook.session.history()
    assert history.initial() == {"a": 6}
    assert [(one.key, one.before, one.after) for one in history.diff().initial] == [("a", "5", "6")]
    assert list(history.context()["key"]) == ["a", "kept"]
    rows = history.sql("SELECT role, preview, codec FROM artifacts WHERE key = 'a' AND role <> 'final' ORDER BY rowid")
    assert rows["role"].tolist() == ["default", "initial"] * 2
    assert rows[rows["role"] == "default"]["codec"].isna().all()
