"""The runner of a notebook: made anew when the settings that it is made with change."""

from collections.abc import Callable

from cloaca_nb.notebook.settings import Cloaca, RunnerSettings
from cloaca_nb.runner import DefaultRunner

__all__ = ["Runners"]


class Runners:
    """The runner that the settings ask for, and those before it as long as they are busy.

    Args:
        settings: of the notebook.
        on_error: see `DefaultRunner`.
        is_busy: says whether a run goes on that was started by the notebook.
    """

    def __init__(
        self, settings: Cloaca, on_error: Callable[[str, str, BaseException], object], is_busy: Callable[[], object]
    ) -> None:
        self._settings = settings
        self._on_error = on_error
        self._is_busy = is_busy
        self._made_with: RunnerSettings | None = None
        self._retired: list[DefaultRunner] = []  # their settings are no longer those that hold
        self.made: DefaultRunner | None = None  # if it has been needed yet

    def current(self) -> DefaultRunner:
        """Return the runner that the settings ask for, made when it is first needed: its libraries take a while."""
        wanted = self._settings.of_runner()
        if self.made is None or wanted != self._made_with:
            made = wanted.runner(self._on_error)
            if self.made is not None:
                self._retire(self.made)
            self.made, self._made_with = made, wanted
        return self.made

    def _retire(self, runner: DefaultRunner) -> None:
        """Let the runs of a runner come to their end."""
        if self._is_busy():
            self._retired.append(runner)
        else:
            runner.shutdown()

    def close(self) -> None:
        """Cancel the runs that go on, and end the runners."""
        runners = [*self._retired, *([self.made] if self.made is not None else [])]
        self._retired, self.made = [], None
        for runner in runners:
            runner.shutdown()
