"""What is set up of `logging` here holds in another process."""

import logging
import subprocess
import sys

import pytest

from cloaca_nb.core.events import OutputWritten
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.engine.log_settings import LogSettings

WAIT = 60
NAME = "tests.of.log.settings"


@pytest.fixture
def log():
    made = logging.getLogger(NAME)
    made.propagate = False
    yield made
    made.handlers.clear()
    made.propagate = True
    made.setLevel(logging.NOTSET)


def on_streams(log):
    """Pytest has handlers of its own on loggers that don't propagate."""
    return [handler for handler in log.handlers if type(handler) is logging.StreamHandler]


class Shouting(logging.Formatter):
    def format(self, record):
        return f"{record.levelname}! {record.getMessage().upper()}"


class Unpicklable(logging.Formatter):
    def __reduce__(self):
        raise TypeError("it stays here")


def body(_context):
    there = logging.getLogger(NAME)  # a logger that is a global of the module travels by its name as well
    there.debug("details")
    there.info("facts")
    there.warning("trouble")


FORMATTERS = [
    (None, ["facts", "trouble"]),
    (logging.Formatter("%(levelname)s %(message)s"), ["INFO facts", "WARNING trouble"]),
    (Shouting(), ["INFO! FACTS", "WARNING! TROUBLE"]),
    (Unpicklable("%(levelname)s"), ["facts", "trouble"]),
]


@pytest.mark.parametrize(("formatter", "lines"), FORMATTERS)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_records_of_a_process_look_as_they_do_here(formatter, lines, stream, log, engine, events, tmp_path):
    log.setLevel(logging.INFO)
    handler = logging.StreamHandler(getattr(sys, stream))
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.addHandler(logging.FileHandler(tmp_path / "own.log", delay=True))
    task = Task("t", body, (), keys=Keys(), executor="process")
    assert engine.start(Workflow("w", [task]), {}).wait(WAIT).status == "Completed"
    said = [event for event in events if isinstance(event, OutputWritten)]
    assert [(one.stream, one.text) for one in said] == [(stream, f"{line}\n") for line in lines]


def test_in_the_same_process_nothing_is_doubled(log):
    log.addHandler(logging.StreamHandler())
    with LogSettings.of_this_process().applied():
        assert len(on_streams(log)) == 1


def test_all_is_put_back_where_it_was_applied(log):
    log.setLevel(logging.ERROR)
    log.addHandler(logging.StreamHandler(sys.stderr))
    elsewhere = LogSettings.of_this_process()._replace(process=-1)
    log.handlers.clear()
    log.setLevel(logging.DEBUG)
    with elsewhere.applied():
        assert (log.level, len(on_streams(log))) == (logging.ERROR, 1)
    assert (log.level, log.handlers) == (logging.DEBUG, [])


def test_a_logger_keeps_to_the_handlers_that_it_has_there(log):
    log.addHandler(logging.StreamHandler(sys.stderr))
    elsewhere = LogSettings.of_this_process()._replace(process=-1)
    with elsewhere.applied():
        assert len(on_streams(log)) == 1


def test_basic_config_of_a_script_holds_in_its_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import logging\n"
        "import cloaca_nb as cloaca\n"
        "logging.basicConfig(level=logging.INFO, format='%(levelname)s|%(message)s')\n"
        "with cloaca.WorkflowBuilder('w'):\n"
        "    @cloaca.task(id='t', executor='process')\n"
        "    def t(context):\n"
        "        logging.info('there')\n"
        "if __name__ == '__main__':\n"
        "    with cloaca.DefaultRunner(':memory:') as runner:\n"
        "        runner.execute('w')\n"
        "        print(runner.history().logs('t')['text'].tolist())\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == "['INFO|there\\n']\n"
    assert done.stderr == "INFO|there\n"
