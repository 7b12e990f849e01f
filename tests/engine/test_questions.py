"""`input()` and `getpass()` in tasks: they fail with the way that works, and are nobody else's trouble."""

import builtins
import getpass
import threading
from inspect import iscoroutinefunction

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.engine import questions
from cloaca_nb.errors import NobodyToAskError

REAL = builtins.input, getpass.getpass


def asks(context):
    input("Your name? ")


def asks_in_secret(context):
    getpass.getpass()


async def asks_in_a_loop(context):
    input()  # noqa: ASYNC250 - it fails


@pytest.mark.parametrize(
    ("body", "way"),
    [(asks, "%%cloaca_params"), (asks_in_a_loop, "%%cloaca_params"), (asks_in_secret, "CLOACINA_VAR_NAME")],
)
def test_a_task_has_nobody_to_ask(engine, body, way):
    task = Task("asks", body, is_async=iscoroutinefunction(body))
    error = engine.start(Workflow("asking", [task]), {}).wait().error
    assert error.exception == NobodyToAskError.__name__
    assert way in error.message
    assert (builtins.input, getpass.getpass) == REAL


def test_who_is_no_task_asks_as_ever(monkeypatch):
    monkeypatch.setattr(builtins, "input", lambda prompt="": f"{prompt}Ada")
    questions.guard()
    try:
        assert input("I am ") == "I am Ada"
        assert questions.guarded(builtins.input, "input") is builtins.input
    finally:
        questions.release()
    assert input() == "Ada"


def test_what_replaced_a_guard_meanwhile_stays(monkeypatch):
    questions.guard()
    mine = threading.Event().wait
    monkeypatch.setattr(builtins, "input", mine)
    questions.release()
    assert builtins.input == mine
    monkeypatch.undo()
    monkeypatch.setattr(builtins, "input", REAL[0])
    assert getpass.getpass is REAL[1]
