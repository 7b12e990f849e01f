"""Completion, as a shell and as a kernel answer it."""

import pytest
from IPython.core.completer import provisionalcompleter

from cloaca_nb.notebook.grammar import GRAMMARS

NOTEBOOK = (
    "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)",
    "import cloaca_nb as cloaca\ndef told(*facts): ...\npolicy = cloaca.RetryPolicy(max_attempts=3)\n_hidden = told",
    "%%cloaca_params\nyear = 2013\nfast = True",
    "%%cloaca_task load\nnumbers = [1, year]",
    "%%cloaca_task scale\nlarge = [2 * number for number in numbers]",
    "with cloaca.WorkflowBuilder('other'):\n    @cloaca.task()\n    def alone(context): ...",
)

REUSE = {"--debug", "--resume", "--cached", "--from", "--only"}
CASES = [
    # line up to the cursor, what is there of it already, what is offered
    ("%cloaca_run ", "", {"notebook", "other", "--param", "--background", "--no-panel", "--output", *REUSE}),
    ("%cloaca_run no", "no", {"notebook"}),
    ("result = %cloaca_run ot", "ot", {"other"}),
    ("%cloaca_run --b", "--b", {"--background"}),
    ("%cloaca_run --background --", "--", {"--param", "--no-panel", "--output", *REUSE}),
    ("%cloaca_run --from ", "", {"load", "scale"}),
    ("%cloaca_run --only sc", "sc", {"scale"}),
    ("%cloaca_run other --only ", "", {"alone"}),
    ("%cloaca_run --background other --from al", "al", {"alone"}),
    ("%cloaca_run notebook --only sc", "sc", {"scale"}),
    ("%cloaca_run nowhere --only ", "", set()),
    ("%cloaca_run other --param ", "", set()),
    ("%cloaca_workflow other --remove a", "a", {"alone"}),
    ("%cloaca_run --only a", "", set()),
    ("%cloaca_pull a", "", set()),
    ("%cloaca_sql SELECT a", "", set()),
    ("%%cloaca_test a", "", set()),
    ("%%cloaca_task new --executor po", "po", {"pool"}),
    ("%cloaca_run --param year=1 --pa", "--pa", {"--param"}),
    ("%cloaca_run --param ", "", {"year=", "fast="}),
    ("%cloaca_run --param ye", "ye", {"year="}),
    ("%cloaca_run --param=ye", "ye", {"year="}),
    ("%cloaca_run --param year=", "", {"2013"}),
    ("%cloaca_run --param fast=t", "t", {"true"}),
    ("%cloaca_run notebook --param fast=f", "f", {"false"}),
    ("%cloaca_dag o", "o", {"other"}),
    ("%cloaca_show ", "", {"load", "scale", "alone"}),
    ("%cloaca_show al", "al", {"alone"}),
    ("%cloaca_show load ", "", {"notebook", "other"}),
    ("%cloaca_logs s", "s", {"scale"}),
    ("df = %cloaca_logs l", "l", {"load"}),
    ("%cloaca_logs load --f", "--f", {"--follow"}),
    ("%cloaca_workflow --remove sc", "sc", {"scale"}),
    ("%cloaca_cancel --", "--", {"--all"}),
    ("%cloaca_export pack", "pack", {"packages/"}),
    ("%cloaca_export packages/", "packages/", {"packages/flights/"}),
    ("%cloaca_export out --import-name cloaca_", "cloaca_", {"cloaca_nb"}),
    ("%%cloaca_sql --o", "--o", {"--output"}),
    ("%%cloaca_task new --af", "--af", {"--after"}),
    ("%%cloaca_task new --after ", "", {"load", "scale"}),
    ("%%cloaca_task new --after load,", "", {"scale"}),
    ("%%cloaca_task new --in ", "", {"numbers", "large", "year", "fast"}),
    ("%%cloaca_task new --in numbers?,la", "la", {"large"}),
    ("%%cloaca_task new --retry-backoff l", "l", {"linear"}),
    ("%%cloaca_task new --retry-backoff=", "", {"fixed", "linear", "exponential"}),
    ("%%cloaca_task new --retry-condition ", "", {"never", "transient", "all"}),
    ("%%cloaca_task new --retry-jitter ", "", {"true", "false"}),
    ("%%cloaca_task new --executor ", "", {"thread", "process", "pool"}),
    ("%%cloaca_task new --cache ", "", {"true", "false"}),
    ("%%cloaca_task new --retry ", "", {"policy"}),
    ("%%cloaca_task new --on-failure t", "t", {"told"}),
    ("#| afte", "afte", {"after: "}),
    ("#| after: lo", "lo", {"load"}),
    ("#| after: [load, s", "s", {"scale"}),
    ("#| retry-condition: tr", "tr", {"transient"}),
    ("#| debug: ", "", {"true", "false"}),
    ("#| nonsense: a", "", set()),
    ("%%cloaca_params --secret ", "", set()),
]


@pytest.fixture
def written(cell, tmp_path):
    for name in ("packages/flights", "other", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "packed.txt").touch()
    for text in NOTEBOOK:
        assert cell(text).error is None
    return cell


def offered(cell, before: str, after: str = "") -> tuple[str, set[str]]:
    """Return what is replaced, and what is offered for it, between two texts."""
    with provisionalcompleter():
        found = list(cell.shell.Completer.completions(before + after, len(before)))
    start = min((one.start for one in found), default=len(before))
    return before[start:], {one.text for one in found}


@pytest.mark.parametrize(("line", "fragment", "matches"), CASES, ids=[one[0] for one in CASES])
def test_a_shell_offers_what_could_stand_there_and_nothing_else(written, line, fragment, matches) -> None:
    cell = "%%cloaca_task new\n" if line.startswith("#|") else ""
    assert offered(written, cell + line) == (fragment, matches)


def test_runs_and_keys_are_offered_once_there_are_some(written) -> None:
    run = written("%cloaca_run").value
    for line in ("%cloaca_history ", "%cloaca_logs --run "):
        assert run.run_id[-8:] in offered(written, line)[1]
    assert offered(written, "%cloaca_pull nu") == ("nu", {"numbers"})


def test_the_whole_cell_tells_what_its_task_can_set(written) -> None:
    assert offered(written, "%%cloaca_task new --out ", "\nrows = 1\nmean = 2") == ("", {"rows", "mean"})


@pytest.mark.parametrize(("cell_line", "found"), [("x = 1", False), ("%%cloaca_task new", True)])
def test_lines_of_options_are_those_of_task_cells_only(written, cell_line, found) -> None:
    assert ("load" in offered(written, f"{cell_line}\n#| after: lo")[1]) is found


SECRETS = [
    # a parameters cell up to the cursor, and behind it, what is offered
    ("%%cloaca_params --secret ", "\nstation = 1\nyear = 2", ("", {"station", "year"})),
    ("%%cloaca_params --secret station,y", "\nstation = 1\nyear = 2", ("y", {"year"})),
    ("%%cloaca_params\n#| se", "\nstation = 1", ("se", {"secret: "})),
    ("%%cloaca_params\n#| secret: ", "\nstation = 1\nyear = 2", ("", {"station", "year"})),
    ("%%cloaca_params\n#| secret: station, ye", "\nstation = 1\nyear = 2", ("ye", {"year"})),
]


@pytest.mark.parametrize(("before", "after", "expected"), SECRETS)
def test_a_parameters_cell_is_offered_its_own_names_as_secrets(written, before, after, expected) -> None:
    assert offered(written, before, after) == expected


def test_the_names_that_a_line_of_options_can_set_are_offered_too(written) -> None:
    assert offered(written, "%%cloaca_task new\n#| out: ro", "\nrows = 1\nmean = 2") == ("ro", {"rows"})


@pytest.mark.parametrize("name", sorted(GRAMMARS))
def test_every_option_of_every_magic_is_offered(written, name) -> None:
    percent = "%%" if name in {"cloaca_task", "cloaca_params"} else "%"
    line = f"{percent}{name} --"
    flags = {max(option.flags, key=len) for option in GRAMMARS[name].options if option.flags}
    _, matches = offered(written, line)
    assert {one for one in matches if one.startswith("--")} == flags


def test_nothing_is_left_of_it_when_the_extension_is_unloaded(written) -> None:
    assert written("%load_ext cloaca_nb\n%unload_ext cloaca_nb").error is None
    assert "--background" not in offered(written, "%cloaca_run --b")[1]
    assert offered(written, "%cloaca_r")[1] == set()
    assert "Cloaca" not in written("%config").out
    assert written("%cloaca_run").error is not None
    assert written("%load_ext cloaca_nb").error is None
    assert written.session.use_workflow().ids() == ["load", "scale"]
    assert offered(written, "%cloaca_run --b") == ("--b", {"--background"})
    assert dict(written("%cloaca_run").value.final_context)["numbers"] == [1, 2013]
