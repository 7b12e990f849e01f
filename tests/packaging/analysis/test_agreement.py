"""A package is refused if the notebook's text makes another workflow than its kernel has."""

import re

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.notebook import notebook_from_texts
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.package import Package

CLOACA = "import cloaca_nb as cloaca"
LOAD = "%%cloaca_task load\nrows = [1, 2]"
USE = "%%cloaca_task use\ntotal = sum(rows)"
LOOP = f"{CLOACA}\nfor n in (1, 2):\n    @cloaca.task(id=f'month_{{n}}')\n    def month(context, n=n): pass"
RULE = "FAILED = cloaca.task_failed('load')\n@cloaca.task(trigger_rules=FAILED)\ndef call(context): pass"
WRITTEN = "@cloaca.task(trigger_rules=cloaca.any_of(cloaca.task_failed(task_id='load')))\ndef call(context): pass"
BLOCK = f"{CLOACA}\nwith cloaca.WorkflowBuilder('sample', infer=False):\n"
BLOCK += "    @cloaca.task()\n    def load(context): context['rows'] = [1]\n"
BLOCK += "    @cloaca.task()\n    def use(context): context['rows']\n"


def exported(texts: list[str], live: dict[str, tuple[str, ...]]) -> Package:
    tasks = [Task(task_id, lambda context: context, ids, where="Cell In[1]") for task_id, ids in live.items()]
    return export(notebook_from_texts("sample", texts), Workflow("sample", tasks))


AGREE: dict[str, tuple[list[str], dict[str, tuple[str, ...]]]] = {
    "the same": ([LOAD, USE], {"load": (), "use": ("load",)}),
    "executed in another order": ([LOAD, USE], {"use": ("load",), "load": ()}),
    "made in a loop": ([LOOP, LOAD], {"month_1": (), "month_2": (), "load": ()}),
    "named by a rule": ([CLOACA, LOAD, WRITTEN], {"load": (), "call": ("load",)}),
    "a rule of a name": ([CLOACA, LOAD, RULE], {"load": (), "call": ("load",)}),
    "a block that infers nothing": ([BLOCK], {"load": (), "use": ()}),
}


@pytest.mark.parametrize("case", AGREE)
def test_is_exported_if_both_agree(case: str) -> None:
    texts, live = AGREE[case]
    package = exported(texts, live)
    assert package == export(notebook_from_texts("sample", texts))


REFUSED: dict[str, tuple[list[str], dict[str, tuple[str, ...]], str]] = {
    "other dependencies": (
        [LOAD, USE],
        {"load": (), "use": ()},
        "cell 2, line 1: task 'use' follows 'load' by the order of the cells, but nothing in the running notebook.",
    ),
    "a task without a cell": (
        [LOAD],
        {"load": (), "use": ("load",)},
        "Task 'use' (Cell In[1]) is in workflow 'sample', but no cell defines it",
    ),
    "a task that was removed": ([LOAD, USE], {"load": ()}, "cell 2, line 1: task 'use' is not in workflow 'sample'"),
    "an unknown id beside a loop": (
        [LOOP, LOAD, "%%cloaca_task use --after month_12\ntotal = sum(rows)"],
        {"month_1": (), "month_2": (), "load": (), "use": ("load", "month_1")},
        "cell 3, line 1: task 'use' depends on 'month_12', which is no task of workflow 'sample'. Did you mean 'month_",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_if_they_differ(case: str) -> None:
    texts, live, message = REFUSED[case]
    with pytest.raises(ExportError, match=re.escape(message)):
        exported(texts, live)
