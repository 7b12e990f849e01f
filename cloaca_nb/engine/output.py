"""What tasks print: told apart by context variable, so that tasks that run at once never mix.

While runs are going on, `sys.stdout` and `sys.stderr` are stand-ins. A write from within an attempt goes to that
attempt's sink; any other goes through to the stream that was there before. Handlers of `logging` that hold those
streams are lent the same stand-ins.
"""

import io
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Final, TextIO

from cloaca_nb.engine import figures, log_handlers, progress_bars, questions
from cloaca_nb.engine.handle import TaskHandle, current_handle
from cloaca_nb.engine.sink import Sink

__all__ = ["capture", "current_sink", "real_stream", "remember_screens", "screen", "speaking", "stream_name"]

STREAMS: Final = ("stdout", "stderr")
_lock = threading.Lock()
# What a task has redirected a stream to, for itself alone.
_own: Final = {name: ContextVar[Any](f"cloaca_own_{name}", default=None) for name in STREAMS}
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
        if (own := _own[self.stands_for].get()) is not None:
            return int(self._pass_on(own.write, text))
        if "\r" in text:  # a bar draws itself: from its next time on it is progress
            progress_bars.watch()
        sink.write(self.stands_for, text)
        return len(text)

    def _pass_on(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what the task has put in the stream's place: for that, the stream before it is where the task prints."""
        token = _own[self.stands_for].set(None)
        try:
            return function(*arguments)
        finally:
            _own[self.stands_for].reset(token)

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
        own = _own[self.stands_for].get() if current_handle.get() is not None else None
        if own is None:
            return getattr(self.real, name)
        attribute = self._pass_on(getattr, own, name)  # one that delegates to the stream before it would never end
        return partial(self._pass_on, attribute) if callable(attribute) else attribute


@contextmanager
def speaking(handle: TaskHandle) -> Iterator[None]:
    """Have what this context prints and reports be said by the attempt of `handle`."""
    token = current_handle.set(handle)
    try:
        yield
    finally:
        handle.finish()
        current_handle.reset(token)


class _Sys(ModuleType):
    """`sys` while runs are going on: who redirects a stream redirects what is printed outside of tasks, a task its own.

    A cell does so by ``%%capture`` or `redirect_stdout`; at its end it would leave the streams without stand-ins.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        is_ours = isinstance(value, _StandIn)
        if name in STREAMS and current_handle.get() is not None:  # a task redirects what it prints itself
            _own[name].set(None if is_ours else value)
            return
        if name in STREAMS and value is not None and not is_ours:
            value = _stand_in_for(name, value)
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return import_module, ("sys",)


class capture:  # noqa: N801 - used as a function
    """Keep the stand-ins in place from `start` to `stop`; calls may overlap."""

    @staticmethod
    def start() -> None:
        """Put the stand-ins in place, if this is the first user or somebody has replaced them."""
        global _users  # noqa: PLW0603 - sys.stdout is the process's, and so is this count
        with _lock:
            _users += 1
            remember_screens()
            for name in STREAMS:
                stream = getattr(sys, name)
                if stream is not None and not isinstance(stream, _StandIn):
                    setattr(sys, name, _stand_in_for(name, stream))
            if type(sys) is ModuleType:
                sys.__class__ = _Sys
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
_kept: Final[deque[tuple[str, _StandIn]]] = deque(maxlen=256)
_screens: Final[dict[str, TextIO]] = {}  # where the process printed last that was no mere text


def _put_back() -> None:
    if type(sys) is _Sys:
        sys.__class__ = ModuleType  # type: ignore[assignment]  # which it was
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


def remember_screens() -> None:
    """Take note where the process prints: a run may begin where somebody has redirected its streams."""
    for name in STREAMS:
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _StandIn) and not _is_text(stream):
            _screens[name] = stream


def screen(name: str, began: TextIO | None) -> TextIO | None:
    """Return where output of tasks is shown: not in what somebody has redirected the stream to since their run began.

    Args:
        name: "stdout" or "stderr"; others have none.
        began: the real stream when the run began.
    """
    real = real_stream(name)
    if real is None or real is began or began is None:
        return real
    return _screens.get(name, real) if _is_text(began) else began


def _is_text(stream: TextIO) -> bool:
    """Say whether a stream is no more than a text, as of ``%%capture``: nobody looks at it while it is written."""
    return type(stream) is io.StringIO
