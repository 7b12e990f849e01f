"""The magics: each reads its line, calls one method of the session, and shows what comes back."""

from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Status
from cloaca_nb.declare.settings import parse_settings
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.notebook.arguments import Arguments, explained_by, task_options
from cloaca_nb.notebook.code import code_bundle
from cloaca_nb.notebook.failure import RunFailed
from cloaca_nb.notebook.history_table import runs_of, tasks_of
from cloaca_nb.notebook.session import Session

__all__ = ["CloacaMagics"]

RUN: Final = (
    Arguments("cloaca_run", "Execute a workflow, with the panel live.")
    .option("workflow", nargs="?", help="its name; by default the notebook's own")
    .option("--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter's value for this run")
    .option("--no-panel", action="store_true", help="show no panel")
    .option("-o", "--output", metavar="NAME", help="bind the result to this name as well")
)
DAG: Final = Arguments("cloaca_dag", "Draw a workflow.").option("workflow", nargs="?", help="its name")
SHOW: Final = (
    Arguments("cloaca_show", "Show a task as the function that it is equal to.")
    .option("task", help="its id")
    .option("workflow", nargs="?", help="the name of its workflow")
)
HISTORY: Final = (
    Arguments("cloaca_history", "List the runs that were kept, or the tasks of one.")
    .option("run", nargs="?", help="a run's id or the beginning of it: list its tasks")
    .option("--runs", type=int, default=20, metavar="N", help="how many of the last runs")
)
WORKFLOW: Final = (
    Arguments("cloaca_workflow", "Name the workflow that the task cells from here on join.")
    .option("workflow", nargs="?", help="its name")
    .option("--remove", metavar="TASK", help="take a task out of it")
)
EXPORT: Final = (
    Arguments("cloaca_export", "Write the workflow as an installable package.")
    .option("folder", help="where to; made if it isn't there")
    .option("--name", help="the package's name; by default the workflow's")
    .option("--import-name", choices=["cloaca_nb", "cloaca"], default="cloaca_nb", help="which engine it imports")
)
PULL: Final = Arguments("cloaca_pull", "Bind values of the last run in the notebook.").option("key", nargs="+")


@magics_class
class CloacaMagics(Magics):
    """The face of cloaca_nb in a notebook."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self._names = shell.user_ns
        self.session = session

    @no_var_expand
    @cell_magic
    @explained_by(task_options())
    def cloaca_task(self, line: str, cell: str) -> None:
        """Make the cell a task: `%%cloaca_task NAME [--after a,b] [--in x,y?] [--out z] [--retry-attempts 3] …`.

        Names that the body assigns are put into the context; names that other tasks set come from it; all others are
        the notebook's own. Long options may also stand below, as `#| key: value` lines.
        """
        _show(self.session.define_task(_whole("cloaca_task", line, cell)))

    @no_var_expand
    @cell_magic
    def cloaca_params(self, line: str, cell: str) -> None:
        """Make the cell's names the workflow's parameters, with these values as defaults."""
        _show(self.session.define_parameters(_whole("cloaca_params", line, cell)))

    @line_magic
    @explained_by(RUN.options())
    def cloaca_run(self, line: str) -> WorkflowResult:
        """Execute a workflow: `%cloaca_run [NAME] [--param k=v …] [-o NAME]`."""
        arguments = RUN.read(line)
        result = self.session.run(
            arguments.workflow, settings=parse_settings(arguments.param), panel=not arguments.no_panel
        )
        if arguments.output:
            self._names[arguments.output] = result
        if result.status is Status.FAILED:
            raise RunFailed(result)
        return result

    @line_magic
    @explained_by(DAG.options())
    def cloaca_dag(self, line: str) -> Workflow:
        """Draw a workflow: `%cloaca_dag [NAME]`."""
        return self.session.workflow(DAG.read(line).workflow)

    @line_magic
    @explained_by(SHOW.options())
    def cloaca_show(self, line: str) -> None:
        """Show a task as the `@cloaca.task` function that it is equal to: `%cloaca_show TASK [WORKFLOW]`."""
        arguments = SHOW.read(line)
        _show(code_bundle(self.session.task_text(arguments.task, arguments.workflow)), raw=True)

    @line_magic
    @explained_by(HISTORY.options())
    def cloaca_history(self, line: str) -> Any:
        """Return the last runs, or one run's tasks, as a pandas frame: `%cloaca_history [RUN] [--runs N]`.

        As the last line of a cell it shows a table: times as on the clocks here, and values that a run began with where
        they differ. The frame itself, `df = %cloaca_history`, has all there is: times in UTC, durations in seconds.
        """
        arguments = HISTORY.read(line)
        history = self.session.runner.history()
        return tasks_of(history, arguments.run) if arguments.run else runs_of(history, arguments.runs)

    @line_magic
    @explained_by(WORKFLOW.options())
    def cloaca_workflow(self, line: str) -> None:
        """Name the workflow that task cells join, or take a task out of it: `%cloaca_workflow NAME [--remove TASK]`."""
        arguments = WORKFLOW.read(line)
        loose = self.session.use_workflow(arguments.workflow, remove=arguments.remove)
        tasks = ", ".join(loose.ids()) or "no task yet; task cells below join it"
        print(f"workflow {loose.name}: {tasks}")  # noqa: T201 - the cell's answer

    @line_magic
    @explained_by(PULL.options())
    def cloaca_pull(self, line: str) -> None:
        """Bind values of the last run's final context in the notebook: `%cloaca_pull KEY …`."""
        self.session.pull(*PULL.read(line).key)

    @line_magic
    @explained_by(EXPORT.options())
    def cloaca_export(self, line: str) -> None:
        """Write the workflow as an installable package: `%cloaca_export DIR [--name N]`."""
        arguments = EXPORT.read(line)
        files = self.session.export(arguments.folder, name=arguments.name, import_name=arguments.import_name)
        print(f"{arguments.folder}:", *files, sep="\n  ")  # noqa: T201 - the cell's answer


def _whole(magic: str, line: str, cell: str) -> str:
    """Put a cell magic's line and body together again: the grammar reads whole cells."""
    return f"%%{magic} {line}".rstrip() + "\n" + cell


def _show(shown: object, **options: Any) -> None:
    display(shown, **options)  # type: ignore[no-untyped-call]  # IPython's
