"""One notebook's session: the methods behind the magics."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from IPython.core.error import UsageError

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Status
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import ExportError, WorkflowNotFoundError
from cloaca_nb.golden import recorded
from cloaca_nb.notebook.audience import Audience, audience_of
from cloaca_nb.notebook.definitions import MODULE, Definitions
from cloaca_nb.notebook.executed import ExecutedCells, notebook_path
from cloaca_nb.notebook.following import Following
from cloaca_nb.notebook.live_names import LiveNames
from cloaca_nb.notebook.main_thread import MainThread
from cloaca_nb.notebook.meant import Meant, meant
from cloaca_nb.notebook.panel.panels import Panels
from cloaca_nb.notebook.post_mortem import PostMortem
from cloaca_nb.notebook.runners import Runners
from cloaca_nb.notebook.runs import Notice, Runs
from cloaca_nb.notebook.settings import Cloaca
from cloaca_nb.notebook.showing import Unshown, showing
from cloaca_nb.notebook.shown import Shown, Start
from cloaca_nb.notebook.snapshot import frozen
from cloaca_nb.notebook.testing import run_test
from cloaca_nb.packaging.analysis.notebook import Notebook
from cloaca_nb.packaging.deliver import Delivered, Wishes, deliver
from cloaca_nb.reuse import Reuse
from cloaca_nb.runner import DefaultRunner
from cloaca_nb.verification import verification

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cloaca_nb.history.history import History
    from cloaca_nb.notebook.cached_copy import CachedCopy
    from cloaca_nb.notebook.panel.wish import Wish

__all__ = ["Session"]

SCRATCH: Final = Reuse()  # nothing is taken


class Session:
    """What the magics of one kernel share.

    Args:
        shell: the IPython shell.
    """

    def __init__(self, shell: "InteractiveShell") -> None:
        self._shell = shell
        self.settings = Cloaca(parent=shell)
        self.runs = Runs()
        self.post_mortem = PostMortem(shell)
        self.runners = Runners(self.settings, self.post_mortem.keep, self.runs.going_on)
        self.executed = ExecutedCells(shell)
        self.definitions = Definitions(shell, self.executed, self.settings)
        self.panels = Panels(shell, self._start_again, self._usual)
        self.following = Following(self.executed, self.panels, self.runs, self.post_mortem)
        self._copies: dict[int, CachedCopy] = {}
        self.last_result: WorkflowResult | None = None
        path = notebook_path(shell)
        if path is not None and MODULE not in REGISTRY.modules():
            REGISTRY.use(MODULE, Notebook(path.stem, ()).workflow_name)

    @property
    def runner(self) -> DefaultRunner:
        """The runner that the settings ask for."""
        return self.runners.current()

    def history(self) -> "History":
        """Return the history of the runs."""
        return self.runner.history()

    def meant(self, run: str | None = None) -> Meant:
        """Return the run that is meant; by default the latest of the current workflow; see `meant`."""
        return meant(self.history(), self.definitions, run)

    def _usual(self, workflow: Workflow, but_run: str, *, up_to_date: bool) -> Mapping[str, float]:
        return self.history().usual(workflow.name, but_run=but_run, up_to_date=up_to_date)

    # -- running

    def run(
        self,
        name: str | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        panel: bool = True,
        reuse: Reuse = SCRATCH,
        debug: bool = False,
    ) -> WorkflowResult:
        """Execute a workflow before everybody's eyes, and block until its run is over.

        Args:
            name: the workflow; see `workflow`.
            settings: parameter values for this run.
            panel: whether to show the panel, or lines in a terminal.
            reuse: what is taken from earlier runs.
            debug: whether tasks run on this thread, one after the other, so that debuggers work.

        Raises:
            KeyboardInterrupt: on an interrupt, after the run was recorded as Cancelled.
        """
        workflow, initial = self.definitions.prepared(name, settings or {}, reuses=bool(reuse.given))
        audience = audience_of(self._shell)
        calm = debug and audience is Audience.TERMINAL  # live lines would paint over the debugger
        shown = showing(workflow, audience, "off" if calm else self._panel(panel=panel), sys.stderr, self.panels)
        self.last_result = self._watch(
            shown, workflow, lambda one: partial(reuse.start, self.runner, one, initial, tell=_say), debug=debug
        )
        return self.last_result

    def _watch(
        self, shown: Shown, workflow: Workflow, starter: Callable[[Workflow], Start], *, debug: bool
    ) -> WorkflowResult:
        """Execute a workflow and block until that is over, on this very thread for a debugger."""
        self.post_mortem.forget()
        if not debug:
            return self.runs.watch(shown, starter(workflow)).wait()
        if audience_of(self._shell) is Audience.NOBODY:
            raise UsageError("--debug needs somebody who answers the debugger, and nobody looks on: leave it out.")
        here = MainThread(self._shell)
        start = starter(here.takes(workflow))
        run = self.runs.watch(shown, lambda observers: here.start(partial(start, observers)), here.wait_for)
        return run.wait()

    def start(
        self,
        name: str | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        panel: bool = True,
        reuse: Reuse = SCRATCH,
        after: str = "",
    ) -> Run:
        """Start a run that goes on while the notebook is worked on; see `run` for the arguments.

        The run keeps the tasks, parameters and helpers that there are now; see `snapshot`. `after` is the key of the
        panel that it was asked for on, if it was. Where nobody looks on, as under nbclient, this blocks until the run
        is over: what a cell shows after its end would be lost.
        """
        audience = audience_of(self._shell)
        workflow, initial = self.definitions.prepared(name, settings or {}, reuses=bool(reuse.given))
        self.post_mortem.forget()
        live = LiveNames(workflow, self.definitions.names)
        notice = None if after else Notice(self.following.board if audience is Audience.TERMINAL else None, live.edited)
        kept = frozen(workflow, self.definitions.names, self._copies)
        start = partial(reuse.start, self.runner, kept, initial, tell=_say)
        wanted = "off" if audience is Audience.TERMINAL else self._panel(panel=panel)
        line = notice.line if notice is not None else None
        options = {"tells_failure": True, "after": after, "line": line}
        shown = showing(workflow, audience, wanted, sys.stderr, self.panels, **options)
        if audience is Audience.NOBODY:
            run = self.runs.watch(shown, start)
            self._keep(run.wait())
            return run
        return self.runs.send(shown, start, notice, partial(self._end, live if after else None))

    def _start_again(self, wish: "Wish") -> Run:
        """Start the run that a panel's Resume or Re-run asks for, as `%cloaca_run --background` would."""
        reuse = Reuse(resume=wish.run_id) if wish.task_id is None else Reuse(only=wish.task_id)
        return self.start(wish.workflow, reuse=reuse, after=wish.key)

    def try_task(self, task_id: str, *, debug: bool = False) -> WorkflowResult:
        """Execute one task on what was set last before it, and keep it as a try; nothing is shown but its output.

        Args:
            task_id: of the current workflow.
            debug: see `run`.

        Raises:
            HistoryError: if it reads what no run or try has set yet.
            KeyboardInterrupt: on an interrupt, after the try was recorded as Cancelled.
        """
        workflow, initial = self.definitions.prepared(None, {}, for_try=True)

        def starter(one: Workflow) -> Start:
            start = partial(self.runner.start_try, one, task_id, context=initial)
            return lambda observers: start(observers=observers)

        return self._watch(Unshown(), workflow, starter, debug=debug)

    def _panel(self, *, panel: bool) -> str:
        return str(self.settings.panel) if panel else "off"

    def _keep(self, result: WorkflowResult) -> None:
        self.last_result = result
        if result.status is Status.FAILED:
            self.post_mortem.show(result)

    def _end(self, untold: LiveNames | None, result: WorkflowResult) -> None:
        """Take in what a background run came to, and say what no notice does."""
        self._keep(result)
        if untold is not None and (remark := untold.edited()):
            sys.stderr.write(f"! {remark}\n")

    def known_runs(self) -> Sequence[str]:
        """Return the ids of the last runs, newest first; none before the history has been opened."""
        return () if self.runners.made is None else list(self.runners.made.history().runs(20)["run_id"])

    def pull(self, *keys: str) -> None:
        """Bind values of the last run's final context in the notebook."""
        if self.last_result is None:
            raise WorkflowNotFoundError(
                "Nothing has been run yet in this kernel: use %cloaca_run first, or %cloaca_run --resume, which takes "
                "what an earlier kernel has finished."
            )
        final = self.last_result.final_context
        self.definitions.pull({key: final[key] for key in keys}, self.last_result.given)

    # -- defining

    def workflow(self, name: str | None = None) -> Workflow:
        """Return a workflow; see `Definitions.workflow`."""
        return self.definitions.workflow(name)

    def use_workflow(self, name: str | None = None, *, remove: str | None = None) -> LooseTasks:
        """Make `name` the workflow that task cells join; see `Definitions.use_workflow`."""
        return self.definitions.use_workflow(name, remove=remove)

    def test(self, text: str) -> str:
        """Run a test cell on the last run's final context; return what to say."""
        final = self.last_result.final_context if self.last_result is not None else None
        return run_test(self._shell, self.definitions, final, text)

    # -- packing

    def export(
        self, folder: str, wishes: Wishes, verify: str | None = None, golden: str | None = None
    ) -> tuple[Delivered, tuple[str, ...], tuple[str, ...]]:
        """Write the notebook's workflow as a package, and as an archive if that is wanted.

        Args:
            folder: where to.
            wishes: what else is wanted.
            verify: the run with which the package is compared; None: none.
            golden: the run of which golden tests are made; None: none.

        Returns:
            What was made, how the executed cells differ from the saved file, and what else there is to say.
        """
        workflow = self.workflow()
        path = notebook_path(self._shell)
        notebook, differences = self.executed.beside(path) if path else (self.executed.notebook(workflow.name), ())
        said: list[str] = []
        if verify is not None:
            wishes = wishes._replace(check=verification(self.history(), verify, said.append))
        if golden is not None:
            wishes = wishes._replace(more=recorded(self.history(), golden, said.append))
        try:
            made = deliver(notebook, workflow, folder, wishes)
        except ExportError as error:
            if path is not None and self.executed.is_newer_than(path):
                error.add_note(f"If a cell that is named here has gone since {path.name} was saved: save it first.")
            raise
        return made, differences, tuple(said)

    def close(self) -> None:
        """Cancel the runs that go on, and end the runners."""
        self.runners.close()
        self.runs.close()


def _say(line: str) -> None:
    """Say what is good to know where it isn't painted red, as JupyterLab paints stderr."""
    sys.stdout.write(line)
