"""`cloaca-nb run --resume --cached --from --only`: what is taken from history, and how the terminal says so."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from cloaca_nb.cli.reuse import Reuse, reuse

CHAIN = """
import cloaca_nb as cloaca

LIMIT = 5

with cloaca.WorkflowBuilder("flights") as builder:
    builder.parameters(year=2013)

    @cloaca.task()
    def load(context):
        print("load", context["year"])
        context["rows"] = [3, 4]

    @cloaca.task()
    def total(context):
        print("total")
        if LIMIT < 6:
            raise ValueError("too small")
        context["total"] = sum(context["rows"]) + LIMIT

    @cloaca.task()
    def report(context):
        print("report")
        context["report"] = str(context["total"])
"""
SHORT = r"[0-9a-f]{8}"
LOGINS = """
import cloaca_nb as cloaca

with cloaca.WorkflowBuilder("logins") as builder:
    builder.parameters(api_token="", limit=5)

    @cloaca.task()
    def login(context):
        print(len(context["api_token"]))
        assert context["limit"] > 5
"""


@pytest.fixture
def chain(home: Path, python):
    """Run the script in a fresh Python each time, with another LIMIT: exit code, stdout, stderr."""

    def run(*options: str, limit: int = 6) -> tuple[int, list[str], str]:
        (home / "chain.py").write_text(CHAIN.replace("LIMIT = 5", f"LIMIT = {limit}"))
        done = python("-m", "cloaca_nb", "run", *options)
        return done.returncode, done.stdout.splitlines(), done.stderr

    return run


def test_a_failed_run_is_resumed_after_the_fix(chain) -> None:
    assert chain("chain.py", limit=5)[:2] == (1, ["load 2013", "total"])
    code, stdout, stderr = chain("chain.py", "--resume")
    assert (code, stdout) == (0, ["total", "report"])
    first, second, _, summary, *_ = stderr.splitlines()
    assert re.fullmatch(rf"↶ load  taken from run {SHORT}", first)
    assert re.search(rf"^✓ total  .*executed, as it was Failed in run {SHORT}$", second)
    assert re.search(rf"Completed in .* · 2 completed · 1 taken from run {SHORT}$", summary)


def test_it_is_resumed_by_the_id_that_messages_show_and_says_why_in_full(chain) -> None:
    chain("chain.py", limit=5)
    said = chain("chain.py", "--resume")[2]
    chain("chain.py")
    [short] = set(re.findall(rf"taken from run ({SHORT})", said))
    code, stdout, stderr = chain("--resume", short, "chain.py", "-v")
    assert (code, stdout) == (0, ["total", "report"])
    assert f"↶ load  taken from run {short}: unchanged since run {short}\n" in stderr


def test_a_secret_that_was_given_is_asked_for_again(home: Path, invoke) -> None:
    (home / "logins.py").write_text(LOGINS)
    assert invoke("run", "logins.py", "--param", "api_token=s3cr3t")[:2] == (1, "6\n")
    code, stdout, stderr = invoke("run", "logins.py", "--resume", "--param", "limit=6")
    assert (code, stdout) == (1, "")
    asked = rf"Error: Run {SHORT} began with the secret 'api_token', and history keeps none\."
    assert re.match(asked, stderr)
    assert invoke("run", "logins.py", "--resume", "--param", "limit=6", "--param", "api_token=s3cr3t")[:2] == (0, "6\n")


def test_a_value_that_was_given_is_kept_until_the_file_has_another_default(chain, home: Path, python) -> None:
    chain("chain.py", "--param", "year=2001", limit=5)
    assert chain("chain.py", "--resume", limit=5)[1] == ["total"]
    edited = (home / "chain.py").read_text().replace("year=2013", "year=2014")
    (home / "chain.py").write_text(edited)
    done = python("-m", "cloaca_nb", "run", "chain.py", "--resume")
    assert done.stdout.splitlines() == ["load 2014", "total"]
    assert "executed, as 'year' has another value now" in done.stderr


def test_what_is_unchanged_is_taken_from_any_run(chain) -> None:
    chain("chain.py")
    code, stdout, stderr = chain("chain.py", "--cached")
    assert (code, stdout) == (0, [])
    assert re.search(rf"Completed in .* · 3 taken from run {SHORT}$", stderr.splitlines()[3])
    code, stdout, stderr = chain("chain.py", "--cached", limit=7)
    assert (code, stdout) == (0, ["total", "report"])
    assert "executed, as LIMIT is 7 now, was 6" in stderr
    assert chain("chain.py", "--cached", "--param", "year=2014", limit=7)[1] == ["load 2014"]


def test_some_tasks_are_executed_on_the_latest_values(chain) -> None:
    chain("chain.py")
    assert chain("chain.py", "--from", "total")[:2] == (0, ["total", "report"])
    assert chain("chain.py", "--from", "load", "--from", "report")[1] == ["load 2013", "total", "report"]
    code, stdout, stderr = chain("chain.py", "--only", "load")
    assert (code, stdout) == (0, ["load 2013"])
    assert "⤼ total  because it was not asked for" in stderr


@pytest.mark.parametrize("option", ["--resume", "--resume=", "--from=total", "--only=total"])
def test_without_an_earlier_run_there_is_nothing_to_take(option: str, chain) -> None:
    code, stdout, stderr = chain(option, "chain.py")
    assert (code, stdout) == (1, [])
    assert "has no run of 'flights' yet" in stderr


def test_an_unknown_task_is_wrong_usage_with_the_near_miss(chain) -> None:
    chain("chain.py")
    code, _, stderr = chain("chain.py", "--only", "totl")
    assert code == 2
    assert stderr.startswith("Error: Workflow 'flights' has no task 'totl'. Did you mean 'total'?")


def test_options_that_exclude_each_other(invoke) -> None:
    code, _, stderr = invoke("run", "flights.py", "--cached", "--from", "load")
    assert code == 2
    assert "--cached and --from exclude each other" in stderr
    assert reuse(None, cached=False, from_tasks=None, only=None) == Reuse()


CELLS = [
    "%load_ext cloaca_nb",
    "import json\nfrom statistics import mean\n\nLIMIT = 2",
    "def doubled(rows):\n    return [row * LIMIT for row in rows]",
    "%cloaca_workflow bees",
    '%%cloaca_task load\n"""Read the rows."""\n# three\nrows = [1, 2, 3]\nif len(rows) > LIMIT:\n    rows.append(4)',
    "%%cloaca_task total --retry-attempts 2\ntotal = sum(doubled(rows))\nprint(total)",
    "%%cloaca_task report\nimport textwrap\nreport = textwrap.indent(json.dumps([total, mean(rows)]), ' ')",
]


def test_a_package_takes_what_its_notebook_has_computed_and_the_notebook_what_its_package_has(
    home: Path, python
) -> None:
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(text) for text in CELLS]), home / "bees.ipynb")
    assert python("-m", "cloaca_nb", "export", "bees.ipynb", "-o", "package").returncode == 0
    assert "3 completed" in python("-m", "cloaca_nb", "run", "bees.ipynb").stderr
    for path in ("package", "bees.ipynb"):
        done = python("-m", "cloaca_nb", "run", path, "--resume")
        assert "3 taken from run" in done.stderr
    package = home / "package/bees/__init__.py"
    package.write_text(package.read_text().replace("sum(doubled(rows))", "sum(doubled(rows)) + 1"))
    done = python("-m", "cloaca_nb", "run", "package", "--resume")
    assert done.stdout == "21\n"
    assert "executed, as task body was changed" in done.stderr
