"""What every magic takes: the one place that parsing, help and completion read."""

from functools import partial
from typing import Final

from cloaca_nb.core.cell.option_values import count, own_name
from cloaca_nb.core.cell.options import OPTIONS, CellOption
from cloaca_nb.core.cell.secret_line import SECRET
from cloaca_nb.notebook.arguments import Arguments, Grammar, Kind, Option

__all__ = [
    "CANCEL",
    "DAG",
    "DIFF",
    "EXPORT",
    "GRAMMARS",
    "HISTORY",
    "LOGS",
    "PARAMS",
    "PULL",
    "RUN",
    "SHOW",
    "SQL",
    "TASK",
    "TEST",
    "WORKFLOW",
]

LATEST: Final = "a run as %cloaca_history names it; by default the latest of the current workflow"

RUN: Final = (
    Arguments(
        "cloaca_run",
        "%cloaca_run",
        "result = %cloaca_run",
        "%cloaca_run flights --param year=2014 --param months=[1, 2]",
        "%cloaca_run --background -o run",
        "%cloaca_run --resume",
        "%cloaca_run --from clean",
        "%cloaca_run --only clean --debug",
    )
    .option("workflow", nargs="?", kind="workflow", help="its name; by default the notebook's own")
    .option(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        kind="parameter",
        help="a parameter's value for this run; may be repeated",
    )
    .option(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        kind="run",
        help="go on with an earlier run: execute what had not completed or was edited, and what follows it; by default "
        "the workflow's latest run that is over, however it ended. Files, databases and web pages that a task opens "
        "are not watched: where these have changed, --from TASK",
    )
    .option(
        "--cached",
        action="store_true",
        help="take tasks whose code and inputs are unchanged from any earlier run; what they open is not watched",
    )
    .option(
        "--from",
        dest="from_tasks",
        action="append",
        default=[],
        metavar="TASK",
        kind="task",
        help="execute this task and what follows it on the latest run's values; may be repeated",
    )
    .option("--only", metavar="TASK", kind="task", help="execute this task alone on the latest run's values")
    .option(
        "--debug", action="store_true", help="execute on the main thread; breakpoint() and a failure open a debugger"
    )
    .option("--background", action="store_true", help="return at once; the run goes on while you work")
    .option("--no-panel", action="store_true", help="show no panel, and no progress")
    .option(
        "-o",
        "--output",
        type=own_name,
        metavar="NAME",
        help="bind the result to this name as well; with --background, the run",
    )
)
DAG: Final = Arguments("cloaca_dag", "%cloaca_dag", "%cloaca_dag flights").option(
    "workflow", nargs="?", kind="workflow", help="its name; by default the notebook's own"
)
SHOW: Final = (
    Arguments("cloaca_show", "%cloaca_show clean", "%cloaca_show clean flights")
    .option("task", kind="any task", help="its id")
    .option("workflow", nargs="?", kind="workflow", help="the name of its workflow; by default the one that has it")
)
HISTORY: Final = (
    Arguments("cloaca_history", "%cloaca_history", "%cloaca_history 739dbdbf", "runs = %cloaca_history --runs 100")
    .option("run", nargs="?", kind="run", help="a run as %cloaca_history names it: list its tasks")
    .option(
        "--runs", type=partial(count, least=1), default=20, metavar="N", help="how many of the last runs; by default 20"
    )
)
LOGS: Final = (
    Arguments("cloaca_logs", "%cloaca_logs", "%cloaca_logs clean --lines 20", "%cloaca_logs -f", "df = %cloaca_logs")
    .option("task", nargs="?", kind="task", help="its id; by default all tasks")
    .option("--run", metavar="RUN", kind="run", help=LATEST)
    .option("-f", "--follow", action="store_true", help="go on until the run is over, or you interrupt")
    .option("--lines", type=count, default=200, metavar="N", help="show the last N lines; by default 200, with 0 all")
)
SQL: Final = (
    Arguments(
        "cloaca_sql",
        "%cloaca_sql SELECT task_id, count(*) FROM attempts GROUP BY ALL",
        "%cloaca_sql -o slow FROM task_summary WHERE duration > 60",
        "%%cloaca_sql\nSELECT workflow, status, duration\nFROM run_summary",
    )
    .option(
        "-o",
        "--output",
        type=own_name,
        metavar="NAME",
        help="bind the frame to this name as well; stands before the query",
    )
    .option("query", nargs="*", help="one SELECT, exactly as DuckDB takes it; with %% it stands in the cell's body")
)
DIFF: Final = (
    Arguments("cloaca_diff", "%cloaca_diff", "%cloaca_diff 739dbdbf 25558ee9")
    .option("a", nargs="?", kind="run", metavar="RUN", help=LATEST)
    .option("b", nargs="?", kind="run", metavar="RUN", help="the run to compare it with; by default the one before")
)
CANCEL: Final = (
    Arguments("cloaca_cancel", "%cloaca_cancel", "%cloaca_cancel 739dbdbf", "%cloaca_cancel --all")
    .option("run", nargs="?", kind="live run", help="its name, told when it began; not needed if only one goes on")
    .option("--all", action="store_true", help="every run that goes on")
)
WORKFLOW: Final = (
    Arguments("cloaca_workflow", "%cloaca_workflow flights", "%cloaca_workflow", "%cloaca_workflow --remove draft")
    .option("workflow", nargs="?", kind="workflow", help="its name; without one, the present one is told")
    .option("--remove", metavar="TASK", kind="task", help="take a task out of it")
)
EXPORT: Final = (
    Arguments(
        "cloaca_export",
        "%cloaca_export flights_package",
        "%cloaca_export out --name flights",
        "%cloaca_export out --archive --verify last",
    )
    .option("folder", kind="folder", help="where to; made if it isn't there")
    .option("--name", help="the package's name; by default the workflow's")
    .option(
        "--import-name",
        choices=["cloaca_nb", "cloaca"],
        default="cloaca_nb",
        help="which engine it imports; by default cloaca_nb",
    )
    .option("--archive", action="store_true", help="add <name>-<version>.cloacina, after every check of the loader")
    .option(
        "--vendor",
        action="append",
        default=[],
        metavar="NAME",
        help="a distribution that the archive carries, with what it requires; may be repeated",
    )
    .option(
        "--verify",
        metavar="RUN",
        kind="run",
        help="run the package as this run (an id, or last) was, and compare what both end with",
    )
    .option(
        "--golden",
        metavar="RUN",
        kind="run",
        help="add tests: each task, given what it was given in this run, sets what it set there",
    )
)
PULL: Final = Arguments("cloaca_pull", "%cloaca_pull delays", "%cloaca_pull delays carriers").option(
    "key", nargs="+", kind="key", help="keys of the last run's final context"
)
KINDS: Final[dict[str, Kind]] = {
    "--in": "input",
    "--out": "output",
    "--secret": "output",
    "--after": "task",
    "--retry": "policy",
    "--executor": "executor",
    "--on-success": "function",
    "--on-failure": "function",
}


def _of_cell(option: CellOption) -> Option:
    return Option((option.flag,), option.metavar, option.help, option.words, KINDS.get(option.flag, ""))


TASK: Final = Grammar(
    "%%cloaca_task NAME [options]",
    tuple(map(_of_cell, OPTIONS)),
    (
        "%%cloaca_task clean --after load --timeout 30\nrows = flights.dropna()",
        "%%cloaca_task fetch\n#| retry-attempts: 3\n#| retry-condition: transient\npage = download(address)",
    ),
)
PARAMS: Final = Grammar(
    "%%cloaca_params [--secret a,b]",
    (_of_cell(SECRET),),
    (
        '%%cloaca_params\nyear = 2013\ntitle = f"Delays of {year}"',
        '%%cloaca_params\n#| secret: station\nstation = getpass("Station: ")',
    ),
)
TEST: Final = Grammar("%%cloaca_test NAME", (), ("%%cloaca_test totals\nassert len(rows) == total",))

LINES: Final = (RUN, DAG, SHOW, HISTORY, DIFF, LOGS, SQL, CANCEL, WORKFLOW, EXPORT, PULL)
GRAMMARS: Final = {line.prog.lstrip("%"): line.grammar for line in LINES} | {
    "cloaca_task": TASK,
    "cloaca_params": PARAMS,
    "cloaca_test": TEST,
}
