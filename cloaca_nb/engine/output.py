"""What tasks print: told apart by context variable, so that tasks that run at once never mix.

While runs are going on, `sys.stdout` and `sys.stderr` are stand-ins. A write from within an attempt goes to that
attempt's sink; any other goes through to the stream that was there before. Handlers of `logging` that hold those
streams are lent the same stand-ins.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from cloaca_nb.engine import figures, log_handlers, progress_bars, questions
from cloaca_nb.engine.handle import TaskHandle, current_handle
from cloaca_nb.engine.sink import Sink

__all__ = ["capture", "current_sink", "real_stream", "speaking", "stream_name"]

STREAMS: Final = ("stdout", "stderr")
_lock = threading.Lock()
_users = 0


def current_sink() -> Sink | None:
    """Return where the output of the attempt goes that this is called in; None outside of attempts."""
    handle = current_handle.get()
    return None if handle is None else handle.sink


class _Bytes:
    """The `buffer` of a stand-in: bytes that an attempt writes are text of its output."""

    def __init__(self, owner: "_StandIn") -> None:
        self._owner = owner

    def write(self, data: bytes) -> int:
        if current_handle.get() is None:
            return int(self._owner.real.buffer.write(data))
        self._owner.write(bytes(data).decode(errors="replace"))
        return len(data)

    def flush(self) -> None:
        if current_handle.get() is None:
            self._owner.real.buffer.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._owner.real.buffer, name)


class _StandIn:
    """Takes the place of a stream. Only reads are delegated: IPython's own tee would recurse on attribute writes."""

    def __init__(self, name: str, real: TextIO) -> None:
        self.stands_for = name
        self.real = real

    @property
    def buffer(self) -> _Bytes:
        """For bytes, if the real stream takes any."""
        _ = self.real.buffer  # an AttributeError where it doesn't
        return _Bytes(self)

    def write(self, text: str) -> int:
        sink = current_sink()
        if sink is None:
            return self.real.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if "\r" in text:  # a bar draws itself: from its next time on it is progress
            progress_bars.watch()
        sink.write(self.stands_for, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if current_handle.get() is None:
            self.real.flush()

    def close(self) -> None:
        """Close the real stream, unless an attempt asks for it: the stream is not its own."""
        if current_handle.get() is None:
            self.real.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@contextmanager
def speaking(handle: TaskHandle) -> Iterator[None]:
    """Have what this context prints and reports be said by the attempt of `handle`."""
    token = current_handle.set(handle)
    try:
        yield
    finally:
        handle.finish()
        current_handle.reset(token)


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
            log_handlers.lend(_stand_in_of)
            questions.guard()
            progress_bars.watch()
            figures.watch()

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


def _stand_in_of(stream: Any) -> _StandIn | None:
    """Return the stand-in of a stream that a handler holds, if it is one that the process prints on."""
    if stream is None or isinstance(stream, _StandIn):
        return None
    for name in STREAMS:
        real = real_stream(name)
        is_first = stream is getattr(sys, f"__{name}__")
        if stream is real or is_first or (real is not None and _is_same_file(stream, real)):
            return _stand_in_for(name, stream)
    return None


def stream_name(stream: Any) -> str:
    """Return "stdout" or "stderr" for a stream that stands for one of them; else nothing."""
    stand_in = stream if isinstance(stream, _StandIn) else _stand_in_of(stream)
    return "" if stand_in is None else stand_in.stands_for


def _is_same_file(stream: Any, other: TextIO) -> bool:
    try:
        return bool(stream.fileno() == other.fileno())
    except (AttributeError, OSError, ValueError):  # one of them is no file, or it is closed
        return False


# `print` only borrows sys.stdout, so a stand-in outlives its last run: a body that was given up may be in it still.
_kept: Final[deque[tuple[str, _StandIn]]] = deque(maxlen=16)


def _put_back() -> None:
    log_handlers.take_back()
    questions.release()
    figures.release()
    for name in STREAMS:
        stream = getattr(sys, name)
        if isinstance(stream, _StandIn):
            setattr(sys, name, stream.real)


def _leave_to_parent() -> None:
    """In a forked child, which has no runs: what it prints goes where its process prints."""
    global _users, _lock  # the lock may have been held by a thread that this process doesn't have
    _users, _lock = 0, threading.Lock()
    current_handle.set(None)
    _put_back()


if hasattr(os, "register_at_fork"):  # not on Windows, which can't fork
    os.register_at_fork(after_in_child=_leave_to_parent)


def real_stream(name: str) -> TextIO | None:
    """Return `sys.stdout` or `sys.stderr` as it is beside all runs; None if there is none of that name."""
    stream = getattr(sys, name) if name in STREAMS else None
    return stream.real if isinstance(stream, _StandIn) else stream
