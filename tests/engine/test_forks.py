"""A child that a body forks ends where the body does, and its parent's run goes on."""

import os
import sys

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task

WAIT = 20
# name, what the child does, its exit code, what it prints on stderr
ENDS = [
    ("it returns", lambda: None, 0, ""),
    ("it leaves", sys.exit, 0, ""),
    ("it leaves with a number", lambda: sys.exit(3), 3, ""),
    ("it leaves with a sentence", lambda: sys.exit("no such file"), 1, "no such file"),
    ("it fails", lambda: 1 / 0, 1, "ZeroDivisionError: division by zero"),
]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # the point of this test
@pytest.mark.parametrize(("end", "code", "said"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_a_child_ends_where_the_body_does(end, code, said, engine, capfd):
    def body(context):
        child = os.fork()
        if child == 0:
            print("in the child")
            end()
            return
        context["code"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    result = engine.start(Workflow("w", [Task("body", body, keys=Keys())]), {}).wait(WAIT)
    assert dict(result.final_context) == {"code": code}
    printed = capfd.readouterr()
    assert "in the child" in printed.out
    assert said in printed.err
