"""What tasks print: told apart by context variable, so that tasks that run at once never mix.

While runs are going on, `sys.stdout` and `sys.stderr` are stand-ins. A write from within an attempt goes to that
attempt's sink; any other goes through to the stream that was there before.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TextIO

from cloaca_nb.core.events import Event, OutputWritten

__all__ = ["Sink", "capture", "captured", "echo"]

STREAMS: Final = ("stdout", "stderr")
_sink: Final[ContextVar["Sink | None"]] = ContextVar("cloaca_output_sink", default=None)
_lock = threading.Lock()
_users = 0
LONGEST: Final = 1000  # pieces of a line that wait for its end


class Sink:
    """Where one attempt's output goes, in whole lines.

    Args:
        say: called with ("stdout" or "stderr", text).
    """

    __slots__ = ("_lock", "_partial", "_say")

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._say = say
        self._partial: dict[str, list[str]] = {}
        self._lock = threading.Lock()  # threads that an attempt starts in its own context write here too

    def write(self, stream: str, text: str) -> None:
        """Pass whole lines on and keep the rest for later."""
        head, newline, tail = text.rpartition("\n")
        with self._lock:
            waiting = self._partial.get(stream)
            if waiting is None:
                waiting = self._partial[stream] = []
            elif newline or len(waiting) > LONGEST:  # a progress bar may never end its line
                head = "".join(waiting) + head
                waiting.clear()
            if tail:
                waiting.append(tail)
        if head or newline:
            self._pass_on(stream, head + newline)

    def close(self) -> None:
        """Pass on what is left."""
        with self._lock:
            left = {stream: "".join(parts) for stream, parts in self._partial.items()}
            self._partial.clear()
        for stream, text in left.items():
            if text:
                self._pass_on(stream, text)

    def _pass_on(self, stream: str, text: str) -> None:
        token = _sink.set(None)  # what an observer of this output prints isn't the attempt's
        try:
            self._say(stream, text)
        finally:
            _sink.reset(token)


class _Bytes:
    """The `buffer` of a stand-in: bytes that an attempt writes are text of its output."""

    def __init__(self, owner: "_StandIn") -> None:
        self._owner = owner

    def write(self, data: bytes) -> int:
        if _sink.get() is None:
            return int(self._owner.real.buffer.write(data))
        self._owner.write(bytes(data).decode(errors="replace"))
        return len(data)

    def flush(self) -> None:
        if _sink.get() is None:
            self._owner.real.buffer.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._owner.real.buffer, name)


class _StandIn:
    """Takes the place of a stream. Only reads are delegated: IPython's own tee would recurse on attribute writes."""

    def __init__(self, name: str, real: TextIO) -> None:
        self._name = name
        self.real = real

    @property
    def buffer(self) -> _Bytes:
        """For bytes, if the real stream takes any."""
        _ = self.real.buffer  # an AttributeError where it doesn't
        return _Bytes(self)

    def write(self, text: str) -> int:
        sink = _sink.get()
        if sink is None:
            return self.real.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink.write(self._name, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _sink.get() is None:
            self.real.flush()

    def close(self) -> None:
        """Close the real stream, unless an attempt asks for it: the stream is not its own."""
        if _sink.get() is None:
            self.real.close()

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
                    setattr(sys, name, _stand_in_for(name, stream))

    @staticmethod
    def stop() -> None:
        """Put the real streams back after the last user, where ours are still in place."""
        global _users  # noqa: PLW0603 - see `start`
        with _lock:
            _users -= 1
            if _users == 0:
                _put_back()


def _stand_in_for(name: str, real: TextIO) -> _StandIn:
    known = next((one for kept, one in _kept if kept == name and one.real is real), None)
    if known is None:
        known = _StandIn(name, real)
        _kept.append((name, known))
    return known


# `print` only borrows sys.stdout, so a stand-in outlives its last run: a body that was given up may be in it still.
_kept: Final[deque[tuple[str, _StandIn]]] = deque(maxlen=16)


def _put_back() -> None:
    for name in STREAMS:
        stream = getattr(sys, name)
        if isinstance(stream, _StandIn):
            setattr(sys, name, stream.real)


def _leave_to_parent() -> None:
    """In a forked child, which has no runs: what it prints goes where its process prints."""
    global _users, _lock  # the lock may have been held by a thread that this process doesn't have
    _users, _lock = 0, threading.Lock()
    _sink.set(None)
    _put_back()


if hasattr(os, "register_at_fork"):  # not on Windows, which can't fork
    os.register_at_fork(after_in_child=_leave_to_parent)


def echo(event: Event) -> None:
    """Show what tasks print where the process prints: an `Observer`."""
    if isinstance(event, OutputWritten):
        stream = getattr(sys, event.stream)
        real = stream.real if isinstance(stream, _StandIn) else stream
        if real is not None:
            _write(real, event.text)
            if event.stream == "stdout" and not event.text.endswith("\n"):
                real.flush()


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # what the screen can't show is spelled; history has it as it is
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
