"""Each folder under `cases` is a notebook (`cells.txt`) and what its export must be: `module.txt`, or `error.txt`.

`CLOACA_UPDATE_CASES=1 pytest tests/packaging` writes the expectations anew; read the difference before you keep it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloaca_nb.errors import CloacaError
from cloaca_nb.packaging.export import export
from cloaca_nb.packaging.notebook import Notebook, notebook_from_texts

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
# Which workflow of a notebook that has several.
SELECTED = {"two_workflows": "second", "with_block_of_another_workflow": "chain"}


def notebook_of(case: str) -> Notebook:
    texts = (CASES / case / "cells.txt").read_text("utf-8").split("\n# %%\n")
    return notebook_from_texts(f"01_{case}", [text.rstrip("\n") for text in texts])


def exported(case: str) -> dict[str, str]:
    """Return the files that a case must give: the module and the DAG, or the error."""
    try:
        package = export(notebook_of(case), SELECTED.get(case), name=f"exported_{case}")
    except CloacaError as error:
        return {"error.txt": f"{error}\n"}
    return {"module.txt": package.files[package.entry]}


@pytest.mark.parametrize("case", NAMES)
def test_export_is_as_expected(case: str) -> None:
    found = exported(case)
    if os.environ.get("CLOACA_UPDATE_CASES"):
        for name in ("module.txt", "error.txt"):
            (CASES / case / name).unlink(missing_ok=True)
        for name, text in found.items():
            (CASES / case / name).write_text(text, "utf-8")
    expected = {path.name: path.read_text("utf-8") for path in (CASES / case).iterdir() if path.name != "cells.txt"}
    assert found == expected


IMPORT_ALL = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")  # cells that set settings of libraries
import cloaca_nb
found = {}
for name in sys.argv[1:]:
    before = set(cloaca_nb.workflows())
    importlib.import_module(name)
    workflow = cloaca_nb.workflows()[(set(cloaca_nb.workflows()) - before).pop()]
    result = cloaca_nb.DefaultRunner(":memory:").execute(workflow)
    found[name] = {
        "tasks": [task.id for task in workflow.tasks],
        "dependencies": {task_id: sorted(ids) for task_id, ids in workflow.dependencies.items()},
        "status": str(result.status),
        "values": {key: repr(value) for key, value in result.final_context.items()},
        "error": result.error_message,
    }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Every exported module, imported and run in one fresh process."""
    folder = tmp_path_factory.mktemp("exported")
    names = []
    for case in NAMES:
        if (CASES / case / "module.txt").exists():
            names.append(f"exported_{case}")
            (folder / f"exported_{case}.py").write_text((CASES / case / "module.txt").read_text("utf-8"), "utf-8")
    # The process's own output is on stderr, so that the last line of stdout is the answer.
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", IMPORT_ALL, *names], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return found


# task -> dependencies and some final values, as text
WORKFLOWS = {
    "helper_in_another_cell": ({"points": [], "measure": ["points"]}, {"d": "5.0"}),
    "constant_chain": ({"limit": []}, {"top": "21"}),
    "changed_constant": ({"look_up": []}, {"found": "[1, 2, 3, 4]"}),
    "alias_imports": ({"count": [], "group": []}, {"root": "'x'"}),
    "defined_twice_alike": ({"pay": []}, {"fee": "10.0"}),
    "parameters": ({"select": []}, {"chosen": "['UA-2013', 'AA-2013']"}),
    "parameters_derived": ({"show": []}, {"text": "'in 2013: 4026'"}),
    "loop_made": (
        {
            "load": [],
            "month_1": ["load"],
            "month_2": ["load"],
            "together": ["month_1", "month_2"],
            "report": ["together"],
        },
        {"text": "'total 12'"},
    ),
    "mixed": (
        {"load": [], "clean": ["load"], "largest": ["clean"], "report": ["largest"]},
        {"verdict": "'large'"},
    ),
    "class_and_dataclass": ({"make": [], "weigh": ["make"]}, {"weight": "1.5"}),
    "async_body": ({"ask": []}, {"reply": "42"}),
    "unicode": ({"prüfung": []}, {"ergebnis": "\"π ≈ 3.14  'ß'\""}),
    "comments_kept": ({"judge": []}, {"late_ones": "[20]"}),
    "ipython_syntax": ({"compute": []}, {}),
    "two_workflows": ({"load": [], "use": ["load"]}, {"y": "2"}),
    "with_block": ({"one": [], "two": ["one"]}, {"n": "4"}),
    "circular_helpers": ({"check": []}, {"is_even": "True"}),
    "annotations_and_decorators": ({"add": []}, {"size": "6.0"}),
    "conditional_import": ({"dump": []}, {"text": "'[1]'"}),
    "settings": ({"make": []}, {}),
    "decorated_other_spelling": ({"make": [], "use": ["make"]}, {"y": "1"}),
    "factory": (
        {"make_a": [], "make_b": [], "make_c": [], "join": ["make_a", "make_b", "make_c"]},
        {"joined": "'ABC'"},
    ),
    "factory_key_read": ({"make_c": [], "show": ["make_c"]}, {"text": "'found c'"}),
    "parameters_with_imports": ({"show": []}, {"text": "'2013-01-01 6.28 [1, 2]'"}),
    "displayed": ({"show": []}, {"text": "'hello'"}),
    "loop_made_key_read": (
        {"task_a": [], "task_b": [], "report": ["task_a", "task_b"]},
        {"text": "\"{'a': 1, 'b': 1}\""},
    ),
    "with_block_of_another_workflow": ({"pick": []}, {"week": "[16, 17]"}),
    "help_lines": ({"one": []}, {"x": "2"}),
    "parameters_injected": ({"select": []}, {"chosen": "['DL-2020', 'B6-2020']"}),
    "parameters_derived_and_injected": ({"show": []}, {"text": "'366 days in 2020'"}),
    "same_cell_twice": ({"make": [], "double": ["make"]}, {"y": "2"}),
    "factory_in_a_block": ({"make_a": [], "make_b": [], "follow": ["make_a"]}, {"text": "'after a'"}),
}


@pytest.mark.parametrize("case", WORKFLOWS)
def test_exported_module_does_the_same(case: str, imported: dict[str, dict[str, object]]) -> None:
    dependencies, values = WORKFLOWS[case]
    found = imported[f"exported_{case}"]
    assert found["status"] == "Completed", found["error"]
    assert found["dependencies"] == dependencies
    assert values.items() <= found["values"].items()  # type: ignore[attr-defined]


def test_exported_modules_pass_ruff_with_its_default_rules(tmp_path: Path) -> None:
    ruff = pytest.importorskip("ruff")
    for path in CASES.glob("*/module.txt"):
        (tmp_path / f"{path.parent.name}.py").write_text(path.read_text("utf-8"), "utf-8")
    command = [ruff.find_ruff_bin(), "check", "--isolated", "--no-cache", "--output-format=concise", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout
