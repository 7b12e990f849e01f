"""The fingerprints of task cells in a real IPython shell: an edit changes those of the tasks that it reaches."""

import pytest

from cloaca_nb.declare.fingerprint import Fingerprints
from cloaca_nb.values.digests import content_digest

HELPERS = "def cleaned(rows):\n    return [row for row in rows if valid(row)]"
VALID = "def valid(row):\n    return row < LIMIT"
CELLS = {
    "limit": "LIMIT = 3",
    "valid": VALID,
    "helpers": HELPERS,
    "load": "%%cloaca_task load\nrows = [1, 2, 3]",
    "clean": "%%cloaca_task clean --after load\nkept = cleaned(rows)",
    "count": "%%cloaca_task count\ntotal = len(kept)",
    "decorated": "@cloaca.task(dependencies=['clean'])\ndef told(context):\n    context['text'] = str(LIMIT)",
}


@pytest.fixture
def notebook(cell):
    for name, text in CELLS.items():
        assert cell(text, name).error is None
    return cell


def look(notebook):
    fingerprints = Fingerprints(content_digest)
    tasks = notebook.session.use_workflow().workflow().tasks
    return {task.id: fingerprints.of(task) for task in tasks}


EDITS = [
    ("nothing", "helpers", HELPERS, {}),
    ("a comment", "valid", VALID.replace("LIMIT", "LIMIT  # not more"), {}),
    ("a docstring", "valid", VALID.replace(":\n", ':\n    """Say it."""\n'), {}),
    ("a comment in a task cell", "count", CELLS["count"] + "  # all", {}),
    ("an option of a task cell", "count", CELLS["count"].replace("count\n", "count --timeout 3\n"), {}),
    ("a helper of a helper", "valid", VALID.replace("<", "<="), {"clean": ["helper valid (Cell In[9]) was changed"]}),
    ("a constant", "limit", "LIMIT = 5", {name: ["LIMIT is 5 now, was 3"] for name in ("clean", "told")}),
    ("a task cell", "count", CELLS["count"] + " + 1", {"count": ["task body was changed"]}),
    ("a task function", "decorated", CELLS["decorated"] + " * 2", {"told": ["task body was changed"]}),
    ("what nothing uses", "other", "OTHER = 1\ndef unused():\n    return OTHER", {}),
    (
        "a constant becomes a function",
        "limit",
        "def LIMIT():\n    return 3",
        {name: ["LIMIT is a function now, was 3"] for name in ("clean", "told")},
    ),
]


@pytest.mark.parametrize(("name", "where", "text", "said"), EDITS, ids=[one[0] for one in EDITS])
def test_an_edit_reaches_the_tasks_that_use_it(name, where, text, said, notebook):
    before = look(notebook)
    assert all(one.untracked == () for one in before.values())
    assert notebook(text, where).error is None
    after = look(notebook)
    assert {
        key: one.differences(before[key].parts) for key, one in after.items() if one.digest != before[key].digest
    } == said


def test_a_run_changes_nothing(notebook):
    before = look(notebook)
    assert notebook("%cloaca_run").error is None
    assert {key: one.digest for key, one in look(notebook).items()} == {key: one.digest for key, one in before.items()}


def test_a_constant_that_is_changed_in_place_counts(notebook):
    assert notebook("LIMITS = [3]\ndef valid(row):\n    return row < LIMITS[0]", "valid").error is None
    before = look(notebook)
    assert notebook("LIMITS.append(4)").error is None
    after = look(notebook)
    assert after["clean"].differences(before["clean"].parts) == ["constant LIMITS was changed"]
    assert after["count"].digest == before["count"].digest
