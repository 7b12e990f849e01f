"""What a background run takes from the notebook as it is: which of it was edited meanwhile."""

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.live_names import LiveNames

CELL = """
from functools import cache, partial, singledispatch
STEP, NAMES, unused = 1, ["a"], 0
def deep(number):
    return number + STEP
def helper(number=1):
    return deep(number)
class Model:
    def step(self):
        return helper()
    @property
    def twice(self):
        return 2 * helper()
    @staticmethod
    def make():
        return Model()
    def names(self):
        return NAMES
model = Model()
table = {"helper": helper}
listed = [partial(helper, 1)]
@singledispatch
def told(value):
    return value
@told.register
def told_number(value: int):
    return helper(value)
def uses_model():
    return model.step()
def plain():
    return helper() + unused
"""
SAME_HELPER = "\n\ndef helper(number=1):\n    return deep(number)"
NEW_HELPER = "def helper(number=1):\n    return 0"

EDITED = [
    # what a task calls, what is edited while it runs, and who is named as one who sees it
    ("model.step()", NEW_HELPER, "helper was edited while it ran, and Model.step sees "),
    ("model.step()", SAME_HELPER, ""),
    ("model.step()", "STEP = 2", "STEP was edited while it ran, and Model.step sees "),
    ("model.step()", "STEP = 1", ""),
    ("model.step()", "STEP = 1.0", "STEP was edited"),
    ("model.step()", "del helper", "helper was edited"),
    ("model.step()", "unused = 1", ""),
    ("model.step()", "NAMES.append('b')", ""),
    ("model.step()", "NAMES = ['a']", ""),
    ("model.step()", "NAMES = ['b']", "NAMES was edited while it ran, and Model.names sees "),
    ("model.step()", f"{NEW_HELPER}\nSTEP = 2", "helper, STEP were edited while it ran, and "),
    ("Model.make().twice", NEW_HELPER, "helper was edited"),
    ("Model.make()", CELL, ""),
    ("Model.make()", "class Model:\n    pass", "Model was edited while it ran, and Model.make sees "),
    ("uses_model()", NEW_HELPER, "helper was edited"),
    ("table['helper']()", "STEP = 2", "STEP was edited while it ran, and helper sees "),
    ("table['helper']()", NEW_HELPER, ""),  # the table has the old one still
    ("listed[0]()", "STEP = 2", "STEP was edited"),
    ("told(1)", NEW_HELPER, "helper was edited while it ran, and told_number sees "),
    # what the run keeps as it was
    ("plain()", f"{NEW_HELPER}\nunused = 3\nSTEP = 2", ""),
    ("1", NEW_HELPER, ""),
]


@pytest.mark.parametrize(("text", "edit", "told"), EDITED, ids=[f"{text}: {edit[:30]}" for text, edit, _ in EDITED])
def test_what_methods_see_is_told_where_it_was_edited(text, edit, told) -> None:
    names = {"__name__": "__main__"}
    exec(f"{CELL}\ndef body(context):\n    return {text}", names)  # noqa: S102 - our own text
    live = LiveNames(Workflow("w", [Task(id="a", function=names["body"])]), names)
    assert live.edited() == ""
    exec(edit, names)  # noqa: S102 - our own text
    assert live.edited().startswith(told)
    assert bool(live.edited()) is bool(told)


def test_of_many_names_some_are_told() -> None:
    names = {"__name__": "__main__"}
    several = [f"n{place}" for place in range(6)]
    exec("\n".join(f"{name} = 1" for name in several), names)  # noqa: S102 - our own text
    exec(f"class K:\n    def m(self):\n        return {' + '.join(several)}\ndef body(context):\n    K().m()", names)  # noqa: S102 - our own text
    live = LiveNames(Workflow("w", [Task(id="a", function=names["body"])]), names)
    names.update(dict.fromkeys(several, 2))
    assert live.edited() == (
        "n0, n1, n2 and 3 more were edited while it ran, and K.m sees the notebook as it is: "
        "tasks may have used the old or the new. Another run uses the new throughout."
    )
