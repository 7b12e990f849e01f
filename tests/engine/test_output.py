"""What a body may do to the streams, and what becomes of it."""

import asyncio
import contextlib
import io
import os
import sys
import threading

import pytest
from rich.console import Console
from rich.file_proxy import FileProxy

from cloaca_nb.core.events import OutputWritten
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.engine.handle import TaskHandle
from cloaca_nb.engine.output import capture, current_sink, speaking
from cloaca_nb.engine.sink import Sink

WAIT = 20


@pytest.fixture
def printed(engine):
    """Run a body, and return its events of output and the result."""

    def run(body, *, is_async=False):
        said = []
        task = Task("t", body, (), keys=Keys(), is_async=is_async)
        result = engine.start(Workflow("w", [task]), {}, observers=[said.append]).wait(WAIT)
        return [event for event in said if isinstance(event, OutputWritten)], result

    return run


def close(_context):
    sys.stdout.close()
    print("still there")


def write_bytes(_context):
    sys.stdout.buffer.write("grün\n".encode())
    sys.stdout.buffer.write(b"\xff\n")
    sys.stdout.buffer.flush()


def redirect(_context):
    hidden = io.StringIO()
    with contextlib.redirect_stdout(hidden):
        print("hidden")
    print(f"found {hidden.getvalue()}", end="")


def redirect_in_front(_context):
    """As a bar of rich does: what takes the stream's place asks the stream before it for all that it lacks."""
    before = sys.stdout
    sys.stdout = FileProxy(Console(file=before, width=40), before)
    try:
        assert not sys.stdout.isatty()
        assert not hasattr(sys.stdout, "set_parent")
        print("in front")
    finally:
        sys.stdout = before


BODIES = [
    ("closes the stream", close, "still there\n"),
    ("writes bytes", write_bytes, "grün\n\N{REPLACEMENT CHARACTER}\n"),
    ("redirects the stream", redirect, "found hidden\n"),
    ("puts a stream in front", redirect_in_front, "in front\n"),
    ("writes lines of a generator", lambda _: sys.stdout.writelines(one for one in ("a\n", "b\n")), "a\nb\n"),
    ("rewrites its line", lambda _: [sys.stdout.write(f"\r{n} of 5000") for n in range(5001)] and None, "5000 of 5000"),
]


@pytest.mark.parametrize(("what", "body", "text"), BODIES, ids=[case[0] for case in BODIES])
def test_output_of_a_body_that(what, body, text, printed):
    events, result = printed(body)
    assert result.status == "Completed", what
    assert "".join(event.text for event in events) == text


@pytest.mark.parametrize("what", [5, b"bytes", None])
def test_what_is_no_text_is_the_bodys_error(what, printed):
    _, result = printed(lambda _context: sys.stdout.write(what))
    assert result.error.exception == "TypeError"
    assert "must be str" in result.error.message


def test_a_line_without_end_is_not_kept_back_for_ever(printed):
    events, _ = printed(lambda _: [sys.stdout.write("x") for _ in range(100_000)] and None)
    assert 10 < len(events) < 1000


def test_threads_in_the_attempts_context_lose_nothing(printed):
    async def body(_context):
        await asyncio.gather(*(asyncio.to_thread(write) for _ in range(4)))

    def write():
        for _ in range(500):
            sys.stdout.write("ab")

    events, _ = printed(body, is_async=True)
    assert "".join(event.text for event in events).count("ab") == 2000


def test_code_in_the_middle_of_a_write_may_print(printed):
    class Loud(str):
        """Prints when it is looked at, as a `__del__` may that the garbage collector calls at any point."""

        __slots__ = ()

        def __contains__(self, text):
            print("in between")
            return super().__contains__(text)

    events, _ = printed(lambda _: [sys.stdout.write(Loud("a line\n")) for _ in range(50)] and None)
    text = "".join(event.text for event in events)
    assert text.count("a line\n") == 50
    assert text.count("in between\n") >= 50


def test_an_observer_may_print(engine, capsys):
    task = Task("t", lambda _context: print("body"), (), keys=Keys())
    observers = [lambda event: print(type(event).__name__)]
    result = engine.start(Workflow("w", [task]), {}, observers=observers).wait(WAIT)
    assert result.status == "Completed"
    assert "OutputWritten" in capsys.readouterr().out.splitlines()


def test_a_sink_is_safe_for_threads():
    said = []
    sink = Sink(lambda _stream, text: said.append(text), str)

    def write():
        for _ in range(1000):
            sink.write("stdout", "ab")
            sink.write("stdout", "\n")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink.close()
    assert "".join(said).count("ab") == 4000


class Speaker:
    """Stands for an attempt that prints."""

    def __init__(self, said):
        self._said = said

    def print(self, _stream, text):
        self._said.append(text)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # the point of this test
def test_a_forked_child_prints_for_itself():
    said = []
    receiver, sender = os.pipe()
    capture.start()
    with speaking(TaskHandle.of(Speaker(said))):
        child = os.fork()
        if not child:
            os.write(sender, f"{type(sys.stdout).__name__} {current_sink()}".encode())
            os._exit(0)
    capture.stop()
    os.waitpid(child, 0)
    stream, sink = os.read(receiver, 100).decode().rsplit(maxsplit=1)
    os.close(receiver)
    os.close(sender)
    assert stream != "_StandIn"
    assert sink == "None"
    assert said == []
