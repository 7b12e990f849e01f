"""The magics: each reads its line, calls one method of the session, and shows what comes back."""

import re
import sys
from functools import partial
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display

from cloaca_nb.core.cells import parse_task_cell
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Status
from cloaca_nb.declare.settings import parse_settings
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.run import Run
from cloaca_nb.notebook.answer import tried
from cloaca_nb.notebook.arguments import explained_by
from cloaca_nb.notebook.code import code_bundle
from cloaca_nb.notebook.exported import exported
from cloaca_nb.notebook.grammar import (
    CANCEL,
    DAG,
    DIFF,
    EXPORT,
    HISTORY,
    LOGS,
    PARAMS,
    PULL,
    RUN,
    SHOW,
    SQL,
    TASK,
    TEST,
    WORKFLOW,
)
from cloaca_nb.notebook.history_table import runs_of, tasks_of
from cloaca_nb.notebook.logs import follow_logs, logs_of
from cloaca_nb.notebook.runs import told
from cloaca_nb.notebook.session import Session
from cloaca_nb.packaging.deliver import Wishes
from cloaca_nb.reuse import Reuse

__all__ = ["CloacaMagics"]

# What stands before a query: options, but no comment in SQL, which needs a space or a line end behind its dashes.
BEFORE_QUERY: Final = re.compile(
    r"\s*(?P<options>(?:(?:-o|--output)(?:=|\s+)\S+|--?\w\S*)?)\s*(?P<query>.*)", re.DOTALL
)


@magics_class
class CloacaMagics(Magics):
    """The face of cloaca_nb in a notebook."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self._names = shell.user_ns
        self.session = session

    @no_var_expand
    @cell_magic
    @explained_by(TASK)
    def cloaca_task(self, line: str, cell: str) -> None:
        """Make the cell a task of the current workflow.

        Names that the body assigns are put into the context; names that other tasks set come from it; all others are
        the notebook's own. Long options may stand as `#| key: value` lines below the magic.
        """
        text = _whole("cloaca_task", line, cell)
        _show(self.session.definitions.define_task(text))
        task = parse_task_cell(text)
        if task.options.try_:
            result = self.session.try_task(task.id, debug=task.options.debug)
            if result.status is Status.FAILED:
                self.session.post_mortem.fail(result, debug=task.options.debug)
            _show(tried(task.id, result))

    @no_var_expand
    @cell_magic
    @explained_by(PARAMS)
    def cloaca_params(self, line: str, cell: str) -> None:
        """Make the cell's names the parameters of the current workflow, with these values as defaults.

        They are bound in the notebook as well. `%cloaca_run --param NAME=VALUE` gives one another value for a run.
        """
        _show(self.session.definitions.define_parameters(_whole("cloaca_params", line, cell)))

    @no_var_expand
    @cell_magic
    @explained_by(TEST)
    def cloaca_test(self, line: str, cell: str) -> None:
        """Run the cell as a test of the workflow, and have it exported as one.

        Names that tasks set come from the last run's final context, as `context` does; a task is called by its name:
        `load(cloaca.Context({"year": 2013}))["rows"]`. All others are the notebook's own.
        """
        print(self.session.test(_whole("cloaca_test", line, cell)))  # noqa: T201 - the cell's answer

    @line_magic
    @explained_by(RUN.grammar)
    def cloaca_run(self, line: str) -> WorkflowResult | Run:
        """Execute a workflow, with the panel live, and return its result.

        A failed run fails the cell; %debug then opens the frame of the task, which is kept until the next run starts.
        With --background the kernel stays free and a handle of the run is returned: `run.wait()`, `run.cancel()`,
        `run.result`. The run keeps the tasks as they are now, whatever cells are edited.
        """
        arguments = RUN.read(line)
        if arguments.background and arguments.debug:
            RUN.error("--background and --debug exclude each other: a debugger needs the kernel for itself.")
        begin = self.session.start if arguments.background else partial(self.session.run, debug=arguments.debug)
        reuse = Reuse(arguments.resume, arguments.cached, tuple(arguments.from_tasks), arguments.only)
        if len(reuse.given) > 1:
            RUN.error(f"{' and '.join(reuse.given)} exclude each other; give one of them.")
        settings, panel = parse_settings(arguments.param), not arguments.no_panel
        begun = begin(arguments.workflow, settings=settings, panel=panel, reuse=reuse)
        if arguments.output:
            self._names[arguments.output] = begun
        result = begun.result if isinstance(begun, Run) else begun
        if result is not None and result.status is Status.FAILED:
            secrets = (f"--param {key}=…" for key in settings if key in self.session.definitions.secret_keys())
            again = " ".join(filter(None, ("%cloaca_run", arguments.workflow, "--resume", *secrets)))
            advice = f"When it is mended, {again} goes on from here."
            self.session.post_mortem.fail(result, debug=arguments.debug, advice=advice)
        return begun

    @line_magic
    @explained_by(CANCEL.grammar)
    def cloaca_cancel(self, line: str) -> None:
        """Cancel a run that goes on in the background.

        Nothing new starts, what runs is given up, and the run is recorded as Cancelled.
        """
        arguments = CANCEL.read(line)
        for run in self.session.runs.cancel(arguments.run, every=arguments.all):
            _show(told(run))

    @line_magic
    @explained_by(DAG.grammar)
    def cloaca_dag(self, line: str) -> Workflow:
        """Draw a workflow. Dashed edges are inferred from what the tasks read and set."""
        return self.session.definitions.to_look_at(DAG.read(line).workflow)

    @line_magic
    @explained_by(SHOW.grammar)
    def cloaca_show(self, line: str) -> None:
        """Show a task as the `@cloaca.task` function that it is equal to, its dependencies written out."""
        arguments = SHOW.read(line)
        _show(code_bundle(self.session.definitions.task_text(arguments.task, arguments.workflow)), raw=True)

    @line_magic
    @explained_by(HISTORY.grammar)
    def cloaca_history(self, line: str) -> Any:
        """Return the last runs, or the tasks of one, as a pandas frame.

        As the last line of a cell it shows a table: times as on the clocks here, and values that a run began with where
        they differ. The frame itself, `df = %cloaca_history`, has all there is: times in UTC, durations in seconds.
        """
        arguments = HISTORY.read(line)
        history = self.session.history()
        return tasks_of(history, arguments.run) if arguments.run else runs_of(history, arguments.runs)

    @line_magic
    @explained_by(LOGS.grammar)
    def cloaca_logs(self, line: str) -> Any:
        """Return what the tasks of a run have written, as a pandas frame that a cell shows as a log.

        With -f it is printed while it is written, also by a run of another process. An interrupt ends the printing, not
        the run.
        """
        arguments = LOGS.read(line)
        history, (run_id, heading) = self.session.history(), self.session.meant(arguments.run)
        if not arguments.follow:
            return logs_of(history, arguments.task, run_id, arguments.lines, heading)
        if heading:
            print(heading)  # noqa: T201 - the cell's answer
        try:
            follow_logs(history, arguments.task, run_id, sys.stdout.write)
        except KeyboardInterrupt:
            sys.stderr.write("No longer followed; the run goes on.\n")
        return None

    @line_magic
    @explained_by(DIFF.grammar)
    def cloaca_diff(self, line: str) -> Any:
        """Return what differs between two runs, and nothing else: parameters, code, outcomes, durations, values.

        Values are compared by their digests; none is read.
        """
        arguments = DIFF.read(line)
        return self.session.history().diff(self.session.meant(arguments.a).run_id, arguments.b)

    @no_var_expand
    @line_cell_magic
    @explained_by(SQL.grammar)
    def cloaca_sql(self, line: str, cell: str = "") -> Any:
        """Ask the history in SQL, and return the answer as a pandas frame. Nothing can be changed.

        Views for you: run_summary, task_summary, task_statistics; their columns stay as they are. Tables: runs, tasks,
        attempts, events, logs, artifacts, code. `%cloaca_sql FROM documentation` says what every column means.
        """
        parts = BEFORE_QUERY.fullmatch(f"{line}\n{cell}")
        arguments = SQL.read(parts["options"] if parts else "")
        query = (parts["query"] if parts else "").strip()
        if not query:
            SQL.error("there is no query. Try: %cloaca_sql SELECT * FROM run_summary")
        frame = self.session.history().sql(query)
        if arguments.output:
            self._names[arguments.output] = frame
        return frame

    @line_magic
    @explained_by(WORKFLOW.grammar)
    def cloaca_workflow(self, line: str) -> None:
        """Name the workflow that the task cells from here on join, or take a task out of it."""
        arguments = WORKFLOW.read(line)
        loose = self.session.use_workflow(arguments.workflow, remove=arguments.remove)
        tasks = ", ".join(loose.ids()) or "no task yet; task cells below join it"
        print(f"workflow {loose.name}: {tasks}")  # noqa: T201 - the cell's answer

    @line_magic
    @explained_by(PULL.grammar)
    def cloaca_pull(self, line: str) -> None:
        """Bind values of the last run's final context in the notebook, under the names of their keys."""
        self.session.pull(*PULL.read(line).key)

    @line_magic
    @explained_by(EXPORT.grammar)
    def cloaca_export(self, line: str) -> None:
        """Write the workflow as an installable package, with what its tasks need and nothing else.

        It holds each cell as it was executed last, in the order of the document; where the saved file differs is said.
        """
        arguments = EXPORT.read(line)
        wishes = Wishes(arguments.name, arguments.import_name, archive=arguments.archive, vendor=arguments.vendor)
        print(exported(*self.session.export(arguments.folder, wishes, arguments.verify, arguments.golden)))  # noqa: T201 - the cell's answer


def _whole(magic: str, line: str, cell: str) -> str:
    """Put a cell magic's line and body together again: the grammar reads whole cells."""
    return f"%%{magic} {line}".rstrip() + "\n" + cell


def _show(shown: object, **options: Any) -> None:
    display(shown, **options)  # type: ignore[no-untyped-call]  # IPython's
