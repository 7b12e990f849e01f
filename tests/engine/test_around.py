"""A task may execute workflows; one that executes its own on the same values is told so, instead of never ending."""

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task


def executing(engine, *chain, values=lambda given: given):
    """A workflow of the first name, whose task executes one of the next, and so round, and fails if that does."""

    def body(context):
        left = context["left"] - 1
        if left:
            error = executed(engine, (*chain[1:], chain[0]), values({"left": left + 1}), values).error
            if error is not None:
                raise RuntimeError(f"{error.exception}: {error.message}")

    return Workflow(chain[0], [Task(f"of_{chain[0]}", body)])


def executed(engine, chain, given, values=lambda given: given):
    return engine.start(executing(engine, *chain, values=values), given).wait(30)


@pytest.mark.parametrize("chain", [("flow",), ("flow", "other")])
def test_on_the_same_values_it_would_never_end(engine, chain):
    result = executed(engine, chain, {"left": 2})
    assert result.status == "Failed"
    assert "Workflow 'flow' is executed by one of its own tasks, on the same values" in result.error.message


def test_on_other_values_it_ends(engine):
    result = executed(engine, ("flow",), {"left": 5}, lambda given: {"left": given["left"] - 1})
    assert result.status == "Completed"
