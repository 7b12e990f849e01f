"""Records that tasks log, by way of handlers that were made before the run."""

import io
import logging
import logging.handlers
import queue
import sys
import warnings
from functools import partial

import pytest

from cloaca_nb.core.events import OutputWritten
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.engine import log_handlers
from cloaca_nb.engine.output import capture

WAIT = 20
FORMAT = "%(levelname)s: %(message)s"


@pytest.fixture
def log():
    """A logger of its own."""
    made = logging.getLogger("tests.of.log.handlers")
    made.propagate = False
    made.setLevel(logging.INFO)
    yield made
    made.handlers.clear()
    made.propagate = True


@pytest.fixture
def handler_on(log):
    """Adds a handler on a stream, as an earlier cell does; None: the stderr of now."""

    def add(stream=None):
        made = logging.StreamHandler(stream)
        made.setFormatter(logging.Formatter(FORMAT))
        log.addHandler(made)
        return made

    return add


@pytest.fixture
def written(engine, events):
    """Run bodies at once, and return what each has written: stream and text."""

    def run(*bodies, is_async=False):
        tasks = [Task(f"t{n}", body, (), keys=Keys(), is_async=is_async) for n, body in enumerate(bodies)]
        result = engine.start(Workflow("w", tasks), {}).wait(WAIT)
        assert result.status == "Completed", result.error_message
        said = [event for event in events if isinstance(event, OutputWritten)]
        return [[(one.stream, one.text) for one in said if one.task_id == task.id] for task in tasks]

    return run


def test_each_record_is_its_own_tasks(log, handler_on, written, capsys):
    handler_on()
    found = written(
        *(partial(lambda n, _: [log.info("%s of %s", line, n) for line in range(50)] and None, n) for n in range(4))
    )
    for number, lines in enumerate(found):
        assert [text for _, text in lines] == [f"INFO: {line} of {number}\n" for line in range(50)]
    assert capsys.readouterr().err == ""  # who echoes it is another one


def test_async_bodies(log, handler_on, written):
    handler_on()

    async def body(_context):
        log.warning("from a coroutine")

    assert written(body, is_async=True) == [[("stderr", "WARNING: from a coroutine\n")]]


def test_a_handler_on_stdout_writes_to_stdout(log, handler_on, written):
    handler_on(sys.stdout)
    assert written(lambda _: log.info("here")) == [[("stdout", "INFO: here\n")]]


def test_a_handler_on_the_first_stderr_of_the_process(log, handler_on, written):
    handler_on(sys.__stderr__)
    assert written(lambda _: log.info("here")) == [[("stderr", "INFO: here\n")]]


def test_a_handler_that_another_one_holds(log, written):
    log.addHandler(logging.handlers.MemoryHandler(1, target=logging.StreamHandler()))
    assert written(lambda _: log.info("here")) == [[("stderr", "here\n")]]


def test_the_last_resort_where_there_is_no_handler(log, written):
    record = log.makeRecord(log.name, logging.WARNING, __file__, 1, "here", (), None)
    assert written(lambda _: logging.lastResort.handle(record) and None) == [[("stderr", "here\n")]]


def test_warnings_of_a_task_that_go_to_logging(handler_on, written):
    handler = handler_on()
    logging.getLogger("py.warnings").addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)
            (lines,) = written(lambda _: warnings.warn("careful", stacklevel=1))
    finally:
        logging.captureWarnings(capture=False)
        logging.getLogger("py.warnings").removeHandler(handler)
    text = "".join(text for _, text in lines)
    assert text.startswith("WARNING: ")
    assert "UserWarning: careful" in text


def test_a_users_own_stream_stays(log, written):
    own = io.StringIO()
    log.addHandler(logging.StreamHandler(own))
    log.addHandler(logging.handlers.QueueHandler(queue.SimpleQueue()))
    assert written(lambda _: log.info("here")) == [[]]
    assert own.getvalue() == "here\n"


def test_outside_of_tasks_nothing_changes(log, handler_on, capsys, engine):
    handler = handler_on()
    before = handler.stream
    task = Task("t", lambda _: None, (), keys=Keys())
    seen = []

    def observer(_event):
        seen.append(handler.stream)
        log.info("from an observer")

    engine.start(Workflow("w", [task]), {}, observers=[observer]).wait(WAIT)
    assert handler.stream is before
    assert before not in seen
    assert capsys.readouterr().err == "INFO: from an observer\n" * len(seen)


def test_streams_come_back_after_the_last_run(handler_on):
    handler = handler_on()
    before = handler.stream
    capture.start()
    capture.start()
    capture.stop()
    assert handler.stream is not before
    capture.stop()
    assert handler.stream is before


def test_a_stream_that_was_set_meanwhile_stays(handler_on):
    handler = handler_on()
    mine = io.StringIO()
    capture.start()
    handler.setStream(mine)
    capture.stop()
    assert handler.stream is mine


def test_a_handler_that_is_gone_is_not_missed():
    made = logging.StreamHandler()
    capture.start()
    assert any(reference() is made for reference, _ in log_handlers._lent)
    del made
    capture.stop()
    assert log_handlers._lent == []
