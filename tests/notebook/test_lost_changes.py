"""Changes by method that no later task sees."""

import pytest

from cloaca_nb.core.cells import parse_task_cell, resolve
from cloaca_nb.notebook.lost_changes import lost_changes

CASES = [
    # options, body, what is found
    ("", "rows.append(1)", [("rows", "append", 2)]),
    ("", "x = 1\nlast = rows.pop()", [("rows", "pop", 3)]),
    ("", "rows[0]['a'].update(b=1)", [("rows", "update", 2)]),
    ("", "for one in rows:\n    rows.remove(one)\n    rows.clear()", [("rows", "remove", 3)]),
    ("", "rows.fillna(0, inplace=True)", [("rows", "fillna", 2)]),
    ("--in rows?", "rows.append(1)", [("rows", "append", 2)]),
    ("", "rows.fillna(0, inplace=False)", []),
    ("", "rows.head()", []),
    ("--out rows", "rows.append(1)", []),
    ("", "rows.append(1)\nrows = rows", []),
    ("", "rows[0] = 1\nrows.append(1)", []),
    ("", "rows = list(rows)\nrows.append(1)", []),
    ("", "mine = []\nmine.append(rows)", []),
    ("", "helpers.append(1)", []),
    ("", "def change():\n    rows.append(1)", []),
]


@pytest.mark.parametrize(("options", "body", "found"), CASES, ids=[case[1].splitlines()[-1] for case in CASES])
def test_a_change_by_method_of_a_name_from_the_context_is_found(options, body, found):
    cell = parse_task_cell(f"%%cloaca_task a {options}\n{body}")
    assert list(lost_changes(cell, resolve(cell, {"rows"}, ()))) == found


def test_a_run_tells_of_what_no_reading_of_the_cell_can_see(cell, caplog) -> None:
    cells = (
        "import heapq\nclass Model:\n    fitted = False\n    def fit(self):\n        self.fitted = True",
        "%%cloaca_task use\nmodel.fit()\nheapq.heappush(items, 0)",
        "%%cloaca_task load\nmodel = Model()\nitems = [3, 4]",
        "%%cloaca_task late --after use\nlast = items",
    )
    for text in cells:
        assert cell(text).error is None
    ran = cell("result = %cloaca_run --no-panel")
    assert ran.error is None
    assert cell.names["result"].final_context["items"] == [3, 4]
    assert [text for text in caplog.messages if "in place" in text] == [
        f"Task 'use' (Cell In[3]) has changed its own {name!r} in place, which no other task sees: to pass that on, "
        f"assign it ({name} = …) or say --out {name}; else change a copy."
        for name in ("model", "items")
    ]
