"""A package in a process of its own: started, asked what it registers, and ended with all that it has started.

The process is `packaging.guest`, or a program that begins as that does. Nothing that a package does when it is imported
reaches the process that asks: it may hang, exit, crash, fork or print without end.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.loading.guest import CHECK
from cloaca_nb.packaging.loading.registered import RegisteredWorkflow, read_registered
from cloaca_nb.packaging.loading.remains import MARK, end_all, end_below, memory_of

__all__ = ["PackageProcess"]

MEMORY: Final = 4_000_000_000  # bytes
TICK: Final = 0.2  # seconds between looks whether it is still there
LONGEST_ANSWER: Final = 16_000_000  # bytes
LAST_WORDS: Final = 2_000  # bytes of its output that an error quotes


class PackageProcess:
    """The process of one package, for the length of a block.

    Args:
        folder: the package's files, with nothing else beside them in its parent.
        entry_module: what it imports.
        program: what it runs: Python text that calls `guest.enter` first.
        more: for that program; JSON.
        is_quiet: whether its output is taken from it, and it works in the parent of `folder` and leaves its temporary
            files there; else it has the streams and the working directory of this process.
    """

    def __init__(
        self,
        folder: Path,
        entry_module: str,
        *,
        program: str = CHECK,
        more: Mapping[str, Any] | None = None,
        is_quiet: bool = True,
    ) -> None:
        self._said = b""
        self._answer, reply = os.pipe()
        asked = {"folder": str(folder), "entry_module": entry_module, "more": dict(more or {}), "reply": reply}
        self._mark = scratch = str(folder.parent)
        output = subprocess.PIPE if is_quiet else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this Python
                # -P: not the working directory among the import paths; -B: nothing is written beside the modules.
                [sys.executable, "-P", "-B", "-c", program, json.dumps(asked)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT if is_quiet else None,
                pass_fds=[reply],
                start_new_session=True,  # a group that can be ended as one; interrupts come from `interrupt`
                cwd=scratch if is_quiet else None,
                env={**os.environ, MARK: self._mark, **({"TMPDIR": scratch} if is_quiet else {})},
            )
        except BaseException:
            os.close(self._answer)
            raise
        finally:
            os.close(reply)

    def registered(
        self, seconds: float, memory: int = MEMORY, clock: Callable[[], float] = monotonic
    ) -> list[RegisteredWorkflow]:
        """Return the workflows that the package registers when it is imported.

        Args:
            seconds: after which it is ended.
            memory: bytes; if it holds more, with all that it has started, it is ended.
            clock: seconds, from whenever.

        Raises:
            PackageError: if the import takes longer, holds more memory or fails, or the process ends meanwhile.
        """
        answer = self._first_line(clock() + seconds, memory, clock)
        if answer is None:
            self.end()
            raise PackageError(
                f"Python workflow import timed out after {seconds:g}s. Move what takes long out of the modules, into "
                f"the tasks.{self._last_words()}"
            )
        if not answer.endswith(b"\n"):
            raise PackageError(f"Its process ended while it was imported{self._how()}.{self._last_words()}")
        return read_registered(answer)

    def go_on(self) -> None:
        """Let its program go on."""
        with suppress(BrokenPipeError):  # it has ended, as `wait` will tell
            self._control.write(b"!")
            self._control.flush()

    def interrupt(self) -> None:
        """Pass Ctrl-C on to it."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def wait(self, seconds: float | None = None) -> int:
        """Wait until it is over, and return its exit code.

        Raises:
            TimeoutError: after that many seconds.
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def end(self) -> None:
        """End it now, with all that it has started."""
        end_below(self._process.pid)  # while its keeper is there, to whom is given what it has let go
        with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS's word for a group of zombies
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        end_all(self._mark)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        os.close(self._answer)

    @property
    def _control(self) -> Any:
        return self._process.stdin

    def _first_line(self, deadline: float, memory: int, clock: Callable[[], float]) -> bytes | None:
        """Return what it answers: a line; without its end if the process ended; None if it takes too long."""
        answer = b""
        sources: list[int] = [self._answer]
        if self._process.stdout is not None:
            sources.append(self._process.stdout.fileno())
        while not answer.endswith(b"\n") and len(answer) <= LONGEST_ANSWER:
            if (left := deadline - clock()) <= 0:
                return None
            self._check_memory(memory)
            ready = _ready(sources, min(left, TICK))
            if not ready and self._process.poll() is not None:  # one that it started may hold the pipe open
                break
            for source in ready:
                data = os.read(source, 65536)
                if source == self._answer:
                    answer += data
                else:
                    self._said = (self._said + data)[-LAST_WORDS:]
                if not data:
                    sources.remove(source)
            if self._answer not in sources:
                break
        return answer

    def _check_memory(self, most: int) -> None:
        if memory_of(self._process.pid) > most:
            self.end()
            raise PackageError(
                f"Importing it holds more than {most // 1_000_000:,} MB of memory. Move what is large out of the "
                f"modules, into the tasks.{self._last_words()}"
            )

    def _how(self) -> str:
        """Return how it ended: `` with exit code 3``."""
        with suppress(TimeoutError):
            code = self.wait(TICK)
            return f" by {signal.Signals(-code).name}" if code < 0 else f" with exit code {code}"
        return ""

    def _last_words(self) -> str:
        said = self._said.decode(errors="replace").strip()
        return f" The last that it printed:\n{said}" if said else ""


def _ready(sources: Sequence[int], seconds: float) -> list[int]:
    with selectors.DefaultSelector() as selector:  # select() takes no descriptor above 1,023
        for source in sources:
            selector.register(source, selectors.EVENT_READ)
        return [key.fd for key, _ in selector.select(seconds)]
