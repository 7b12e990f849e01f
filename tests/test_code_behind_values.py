"""A task that reads an object runs its methods: when their code changes, it is executed again, and says why."""

import json
import subprocess
import sys

LIBRARY = """
class Model:
    def __init__(self, slope):
        self.slope = slope

    def __eq__(self, other):
        return type(other) is Model and other.slope == self.slope

    def answer(self):
        return self.slope * 2

def double(x):
    return 2 * x
"""
LOCAL = """
from dataclasses import dataclass
from enum import Enum
from bv_factors import FACTOR

@dataclass
class Point:
    x: int

    def answer(self):
        return self.x * FACTOR

class Color(Enum):
    RED = 1

    def answer(self):
        return self.value * FACTOR
"""
FLOW = """
import json, sys
from collections import namedtuple
import bv_library, bv_local
import cloaca_nb as cloaca

class Own:
    def __init__(self, x):
        self.x = x

    def answer(self):
        return helped(self.x)

class Pair(namedtuple("Pair", "a b")):
    __slots__ = ()

    def answer(self):
        return helped(self.a)

def helped(x):
    return x + 1

def reader(key):
    @cloaca.task(id=key, dependencies=())
    def use(context):
        value = context[key]
        while not hasattr(value, "answer") and not callable(value):
            value = next(iter(value))
        context["answer to " + key] = value.answer() if hasattr(value, "answer") else value(1)

if __name__ == "__main__":
    builder = cloaca.WorkflowBuilder("flow")
    for one in sys.argv[1:]:
        reader(one)
        builder.add_task(one)
    with cloaca.DefaultRunner("history.duckdb") as runner:
        result = runner.execute(builder.build(), {one: eval(one) for one in sys.argv[1:]}, cached=True)
        print(json.dumps(dict(zip(sys.argv[1:], result.tasks["reason"], strict=True))))
"""
DISTRIBUTION = "Metadata-Version: 2.1\nName: bv-library\nVersion: {}\n"
FILES = {
    "flow.py": FLOW,
    "bv_local.py": LOCAL,
    "bv_factors.py": "FACTOR = 3\n",
    "site-packages/bv_library.py": LIBRARY,
    "site-packages/bv_library-1.dist-info/METADATA": DISTRIBUTION.format("1.0"),
    "site-packages/bv_library-1.dist-info/RECORD": "bv_library.py,,\n",
}
METADATA = "site-packages/bv_library-1.dist-info/METADATA"
VALUES = (
    *("bv_library.Model(3)", "[bv_library.Model(3)]", "bv_library.double", "bv_local.Point(3)", "bv_local.Color.RED"),
    *("Own(3)", "[{'a': Own(3)}.get('a')]", "[[Pair(3, 4)]]", "[str]"),
)
EDITS = [
    (
        "the version of a library",
        *(METADATA, "1.0", "2.0"),
        dict.fromkeys(VALUES[:3], "bv-library 1.0 → 2.0"),
    ),
    (
        "a local class",
        *("bv_local.py", "x * F", "x + F"),
        dict.fromkeys(VALUES[3:5], "module bv_local (bv_local.py) was changed"),
    ),
    (
        "what a local class imports",
        *("bv_factors.py", "3", "4"),
        dict.fromkeys(VALUES[3:5], "module bv_factors (bv_factors.py) was changed"),
    ),
    ("a comment", *("bv_local.py", "@dataclass", "# Twice.\n@dataclass"), {}),
    (
        "a class of the notebook",
        *("flow.py", "helped(self.x)", "helped(-self.x)"),
        dict.fromkeys(VALUES[5:7], "helper Own.answer (flow.py:11) was changed"),
    ),
    (
        "what such a class calls",
        *("flow.py", "x + 1", "x + 2"),
        dict.fromkeys(VALUES[5:8], "helper helped (flow.py:20) was changed"),
    ),
]


def run(folder):
    """Run a workflow in a process of its own; return what history says of the reader of each value."""
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "flow.py", *VALUES],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "site-packages"), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {value: reason.partition(" run ")[0] for value, reason in json.loads(done.stdout).items()}


def write_files(folder):
    for name, text in FILES.items():
        folder.joinpath(name).parent.mkdir(exist_ok=True)
        folder.joinpath(name).write_text(text)


def test_what_is_edited_behind_a_value_is_said_by_who_reads_it(tmp_path):
    write_files(tmp_path)
    unchanged = dict.fromkeys(VALUES, "unchanged since")
    run(tmp_path)
    for name, file, old, new, changed in EDITS:  # one upon the other
        edited = tmp_path / file
        text = edited.read_text()
        assert old in text, name
        edited.write_text(text.replace(old, new))
        said = {value: f"executed, as the code behind {value!r} was changed: {one}" for value, one in changed.items()}
        assert run(tmp_path) == {**unchanged, **said}, name
    write_files(tmp_path)
    assert run(tmp_path) == unchanged  # what the first run made still serves
