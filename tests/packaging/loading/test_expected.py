"""A package that makes another DAG than its notebook is told apart, task by task."""

import re

import pytest

from cloaca_nb.packaging.loading.expected import Expected
from cloaca_nb.packaging.loading.registered import RegisteredTask, RegisteredWorkflow

DAG = {"load": (), "total": ("load",)}
# name: what the package registers, what is said of the workflow as a whole, what is said if not all tasks are known
CASES: dict[str, tuple[dict[str, tuple[str, ...]], list[str], list[str]]] = {
    "the same": (DAG, [], []),
    "one more": ({**DAG, "month_0": ()}, ["'month_0' is in the package, but not in the notebook"], []),
    "one less": (
        {"load": ()},
        ["'total' is in the notebook, but not in the package"],
        ["'total' is in the notebook, but not in the package"],
    ),
    "another dependency": (
        {"load": (), "total": ()},
        [r"'total' follows \['load'\] in the notebook, but \[\] in the package"],
        [r"'total' follows \['load'\] in the notebook, but \[\] in the package"],
    ),
    "all of it": (
        {"extra": (), "total": ("extra",)},
        ["'load' is in the notebook", r"'total' .* but \['extra'\]", "'extra' is in the package"],
        ["'load' is in the notebook", r"'total' .* but \['extra'\]"],
    ),
}


def registered(name: str, dag: dict[str, tuple[str, ...]]) -> RegisteredWorkflow:
    tasks = [RegisteredTask(one, (f"module:{one}",), ids, "", 0, None) for one, ids in dag.items()]
    return RegisteredWorkflow(name, "", tuple(tasks))


@pytest.mark.parametrize("is_all", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_differences(case: str, *, is_all: bool) -> None:
    dag, of_all, of_some = CASES[case]
    other = registered("other", {"load": ("far",), "more": ()})  # of a module that the package imports
    found = Expected("sample", DAG, is_all=is_all).differences([other, registered("sample", dag)])
    expected = of_all if is_all else of_some
    assert len(found) == len(expected)
    for said, pattern in zip(found, expected, strict=True):
        assert re.search(pattern, said), said
    assert [one for one in found if "does it look at the environment" in one] == found[-1:]
