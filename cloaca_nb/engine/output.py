"""What tasks print: told apart by context variable, so that tasks that run at once never mix.

While runs are going on, `sys.stdout` and `sys.stderr` are stand-ins. A write from within an attempt goes to that
attempt's sink; any other goes through to the stream that was there before.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TextIO

from cloaca_nb.core.events import Event, OutputWritten

__all__ = ["Sink", "capture", "captured", "echo"]

STREAMS: Final = ("stdout", "stderr")
_sink: Final[ContextVar["Sink | None"]] = ContextVar("cloaca_output_sink", default=None)
_lock: Final = threading.Lock()
_users = 0


class Sink:
    """Where one attempt's output goes, in whole lines.

    Args:
        say: called with ("stdout" or "stderr", text).
    """

    __slots__ = ("_partial", "_say")

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._say = say
        self._partial: dict[str, str] = {}

    def write(self, stream: str, text: str) -> None:
        """Pass whole lines on and keep the rest for later."""
        head, newline, tail = text.rpartition("\n")
        if newline:
            self._say(stream, self._partial.pop(stream, "") + head + newline)
        if tail:
            self._partial[stream] = self._partial.get(stream, "") + tail

    def close(self) -> None:
        """Pass on what is left."""
        while self._partial:
            stream, text = self._partial.popitem()
            self._say(stream, text)


class _StandIn:
    """Takes the place of a stream. Only reads are delegated: IPython's own tee would recurse on attribute writes."""

    def __init__(self, name: str, real: TextIO) -> None:
        self._name = name
        self.real = real

    def write(self, text: str) -> int:
        sink = _sink.get()
        if sink is None:
            return self.real.write(text)
        sink.write(self._name, text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _sink.get() is None:
            self.real.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@contextmanager
def captured(sink: Sink) -> Iterator[None]:
    """Send what this context prints to `sink`."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        sink.close()
        _sink.reset(token)


class capture:  # noqa: N801 - used as a function
    """Keep the stand-ins in place from `start` to `stop`; calls may overlap."""

    @staticmethod
    def start() -> None:
        """Put the stand-ins in place, if this is the first user or somebody has replaced them."""
        global _users  # noqa: PLW0603 - sys.stdout is the process's, and so is this count
        with _lock:
            _users += 1
            for name in STREAMS:
                stream = getattr(sys, name)
                if stream is not None and not isinstance(stream, _StandIn):
                    setattr(sys, name, _StandIn(name, stream))

    @staticmethod
    def stop() -> None:
        """Put the real streams back after the last user, where ours are still in place."""
        global _users  # noqa: PLW0603 - see `start`
        with _lock:
            _users -= 1
            for name in STREAMS:
                stream = getattr(sys, name)
                if _users == 0 and isinstance(stream, _StandIn):
                    setattr(sys, name, stream.real)


def echo(event: Event) -> None:
    """Show what tasks print where the process prints: an `Observer`."""
    if isinstance(event, OutputWritten):
        stream = getattr(sys, event.stream)
        real = stream.real if isinstance(stream, _StandIn) else stream
        if real is not None:
            real.write(event.text)
            if event.stream == "stdout" and not event.text.endswith("\n"):
                real.flush()
