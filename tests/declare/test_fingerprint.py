"""The fingerprint of a task's code: what changes it, what doesn't, and what is said of it."""

import ctypes
import io
import linecache
import os
import subprocess
import sys
import textwrap
from itertools import count

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.cells import compile_function, parse_task_cell
from cloaca_nb.core.task import Task
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.fingerprint import Fingerprints
from cloaca_nb.values.digests import content_digest

NUMBERS = count(1)
BODY = "def body(context):\n    return clean(context, LIMIT)\n"
CLEAN = "def clean(rows, limit):\n    return [row for row in rows if row < limit]\n"


class _Method(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("call", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))


def compiled():
    """Make a C function that belongs to no module but the notebook."""
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_void_p, ctypes.py_object]
    return make(ctypes.byref(METHOD), None, "__main__")


METHOD = _Method(b"quick", ctypes.cast(ctypes.pythonapi.PyObject_Length, ctypes.c_void_p), 0x8, None)
COMPILED = compiled()


def executed(*cells):
    """Execute cells in a fresh namespace, each known by a file name of its own, as in a kernel."""
    namespace = {"__name__": "__main__", "COMPILED": COMPILED}
    for text in cells:
        filename = f"<cell {next(NUMBERS)}>"
        linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
        exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a kernel does
    return namespace


def fingerprint(*cells):
    return Fingerprints(content_digest).of(Task("body", executed(*cells)["body"]))


def calls(name):
    return f"def body(context):\n    return {name}(context)\n"


DRAWS = (
    "import random\nimport numpy\ndef body(c):\n    random.seed(1)\n    return random.random(), numpy.random.normal()\n"
)
DICE = "from random import choice\ndice = [choice]\n" + calls("dice")
OWN_DICE = "from random import Random\nown = Random(1)\ndraw = own.random\n"
OTHER_STATE = "starts from another state"
RANDOM = "import numpy\n" + calls("numpy.random.default_rng")

SAME = [
    ("comments", BODY, BODY.replace("    return", "    # why\n    return")),
    ("blank lines", BODY, "\n\n" + BODY.replace(":\n", ":\n\n")),
    ("docstring added", BODY, BODY.replace("    return", '    """Say it."""\n    return')),
    ("docstring alone", 'def body(c):\n    "a"\n', 'def body(c):\n    "b"\n'),
    ("layout", BODY, BODY.replace("(context, LIMIT)", "(\n        context,\n        LIMIT,\n    )")),
    ("quotes", "def body(c):\n    return 'a'", 'def body(c):\n    return "a"'),
    ("brackets", "def body(c):\n    return 1 + 2 * 3", "def body(c):\n    return (1 + (2 * 3))"),
    ("helper's comment", BODY + CLEAN, BODY + CLEAN.replace("):\n", "):  # here\n")),
    ("helper's docstring", BODY + CLEAN, BODY + CLEAN.replace("):\n", '):\n    "Clean."\n')),
    ("order of cells", BODY + CLEAN, CLEAN + BODY),
    ("what isn't used", BODY, BODY + "OTHER = 7\ndef other(): pass\n"),
    ("other statement", BODY, BODY + "import json\nprint\n"),
    ("a builtin", "def body(c):\n    return len(c)", "def body(c):\n    return len(c)  # so"),
    ("standard library", "import json\n" + calls("json.dumps"), "import json, math\n" + calls("json.dumps")),
    ("class's docstring", "class P:\n    x = 1\n" + calls("P"), "class P:\n    'Doc.'\n    x = 1\n" + calls("P")),
    ("async", "async def body(c):\n    return 1", "async def body(c):\n    return 1  # one"),
    ("an attribute of another name", "def body(c):\n    return c.LIMIT", "LIMIT = 3\ndef body(c):\n    return c.LIMIT"),
    ("a compiled function", RANDOM, RANDOM + "# again\n"),
    ("a library's hidden generator", DRAWS, "import random\nrandom.random()\n" + DRAWS),
    ("such a one in a list", DICE, DICE.replace("dice", "dice  ")),
    ("a lambda's spaces", "body = lambda c: c+1", "body = lambda c: c + 1"),
    ("set literal", "def body(c):\n    return c in {'a', 'b'}", "def body(c):\n    return c in {'a',  'b'}"),
    (
        "recursion",
        "def even(n):\n    return odd(n)\ndef odd(n):\n    return even(n)\n" + calls("even"),
        "def odd(n):\n    return even(n)\ndef even(n):\n    return odd(n)\n" + calls("even"),
    ),
    (
        "options of the task",
        "import cloaca_nb as cloaca\n@cloaca.task(retry_attempts=1)\ndef body(c):\n    return 1",
        "import cloaca_nb as cloaca\n@cloaca.task(timeout=3, on_success=print)\ndef body(c):\n    return 1",
    ),
]

DECORATED = """
import functools
def twice(function):
    @functools.wraps(function)
    def wrapper(context):
        return function(context) * 2
    return wrapper
@twice
def body(context):
    return 1
"""
POWERS = "def power(n):\n    def raised(x):\n        return x ** n\n    return raised\n"
POINT = "class Base:\n    size = 1\nclass Point(Base):\n    def x(self):\n        return 1\n"
RECORD = "from dataclasses import dataclass\n@dataclass\nclass R:\n    x: int = 1\n" + calls("R")
COLOUR = "from enum import Enum\nclass C(Enum):\n    RED = 1\n" + calls("C")

CHANGED = [
    ("body", BODY, "return clean", "return 1 + clean", ["task body was changed"]),
    ("constant", BODY + "LIMIT = 3\n", "= 3", "= 5", ["LIMIT is 5 now, was 3"]),
    ("text constant", BODY + "LIMIT = 'a'\n", "'a'", "'b'", ["constant LIMIT was changed"]),
    ("type of a constant", BODY + "LIMIT = 3\n", "= 3", "= 3.0", ["LIMIT is 3.0 now, was 3"]),
    ("changed in place", BODY + "LIMIT = [1]\n", "[1]\n", "[1]\nLIMIT.append(2)\n", ["constant LIMIT was changed"]),
    ("helper", BODY + CLEAN, "row <", "row <=", ["helper clean (<cell>) was changed"]),
    (
        "helper of a helper",
        calls("a") + "def a(x):\n    return b(x)\ndef b(x):\n    return x",
        "return x",
        "return -x",
        ["helper b (<cell>) was changed"],
    ),
    ("default", "def body(c, n=1):\n    return n", "n=1", "n=2", ["task body was changed"]),
    ("keyword default", "def body(c, *, n=1):\n    return n", "n=1", "n=2", ["task body was changed"]),
    ("lambda", "body = lambda c: c + 1", "+ 1", "+ 2", ["task body was changed"]),
    ("lambda among others", "a, body = lambda c: 1, lambda c: 2", "2", "3", ["task body was changed"]),
    ("nested", "def body(c):\n    def f():\n        return 1\n    return f()", "1", "2", ["task body was changed"]),
    (
        "comprehension",
        "LIMIT = 1\ndef body(c):\n    return [x + LIMIT for x in c]",
        "x +",
        "x -",
        ["task body was changed"],
    ),
    ("wrapper", DECORATED, "* 2", "* 3", ["helper twice.wrapper (<cell>) was changed"]),
    ("what is wrapped", DECORATED, "return 1", "return 2", ["task body was changed"]),
    ("closure", POWERS + "body = power(2)", "(2)", "(3)", ["task body was changed"]),
    ("order of closures", POWERS + "H = [power(2), power(3)]\n" + calls("H"), "(2), power(3)", "(3), power(2)", None),
    (
        "handlers",
        "def f(): pass\ndef g(): pass\nH = {'a': f, 'b': g}\n" + calls("H"),
        "'a': f, 'b': g",
        "'a': g, 'b': f",
        None,
    ),
    ("function in a dict", "def f():\n    return 1\nH = {'a': f}\n" + calls("H"), "return 1", "return 2", None),
    (
        "another name",
        "def f(): pass\ndef g(): pass\nh, i = f, g\ndef body(c):\n    h(), i(), f(), g()",
        "= f, g",
        "= g, f",
        None,
    ),
    (
        "partial",
        "from functools import partial\ndef f(a, c): pass\nbody = partial(f, 1)",
        "f, 1",
        "f, 2",
        ["task body was changed"],
    ),
    (
        "partial's function",
        "from functools import partial\ndef f(a, c): pass\nbody = partial(f, 1)",
        "pass",
        "return a",
        None,
    ),
    ("method", POINT + calls("Point"), "return 1", "return 2", ["helper Point.x (<cell>) was changed"]),
    ("base class", POINT + calls("Point"), "size = 1", "size = 2", ["class Base was changed"]),
    ("field", RECORD, "x: int = 1", "x: int = 2", ["class R was changed"]),
    ("type of a field", RECORD, "x: int", "x: float", ["class R was changed"]),
    ("member", COLOUR, "RED = 1", "RED = 2", ["class C was changed"]),
    ("instance", POINT + "P = Point()\nP.y = 1\n" + calls("P"), "y = 1", "y = 2", ["constant P was changed"]),
    ("class of an instance", POINT + "P = [Point()]\n" + calls("P"), "return 1", "return 2", None),
    ("one's own generator", OWN_DICE + calls("own.random"), "(1)", "(2)", [f"random generator own {OTHER_STATE}"]),
    ("its method", OWN_DICE + calls("draw"), "(1)", "(2)", ["constant draw was changed"]),
    ("another library method", "import random\n" + calls("random.random"), "random.random", "random.gauss", None),
    ("bound method", POINT + "p = Point()\np.n = 1\nbody = p.x", "n = 1", "n = 2", ["task body was changed"]),
    (
        "callable object",
        POINT.replace("x(self)", "__call__(self)") + "body = Point()\nbody.n = 1",
        "n = 1",
        "n = 2",
        None,
    ),
    (
        "cached",
        "import functools\n@functools.cache\ndef f(c):\n    return 1\n" + calls("f"),
        "return 1",
        "return 2",
        None,
    ),
    ("property", POINT.replace("    def x", "    @property\n    def x") + calls("Point"), "return 1", "return 2", None),
    ("undefined", BODY + CLEAN, "def clean", "LIMIT = 3\ndef clean", None),
    ("no longer used", BODY + CLEAN, "return clean(context, LIMIT)", "return LIMIT", None),
    ("ufunc", "import numpy as np\nf = np.add\n" + calls("f"), "np.add", "np.subtract", None),
    (
        "frame",
        "import pandas as pd\nF = pd.DataFrame({'a': [1]})\n" + calls("F.sum"),
        "[1]",
        "[2]",
        ["constant F was changed"],
    ),
]

CHANGED += [
    (
        "attribute of a function",
        "def f(c): pass\nf.n = 1\ndef body(c):\n    return f(c) + f.n",
        "n = 1",
        "n = 2",
        ["f.n is 2 now, was 1"],
    ),
    (
        "computed attribute of a class",
        POINT + "def body(c):\n    return getattr(Point, c)",
        "return 1",
        "return 2",
        None,
    ),
    (
        "computed attribute of a constant",
        POINT + "P = Point()\nP.y = 1\n" + calls("getattr(P, 'y')"),
        "y = 1",
        "y = 2",
        None,
    ),
    ("another builtin", "run = len\n" + calls("run"), "len", "max", ["run is max now, was len"]),
    (
        "text of a library's decorator",
        "import contextlib\n@contextlib.contextmanager\ndef f(c):\n    yield 1\n" + calls("f"),
        "yield 1",
        "yield 2",
        ["helper f (<cell>) was changed"],
    ),
    (
        "function with another name",
        "def f(c): pass\ndef g(c): pass\nh = f\ndef body(c):\n    return h(c), f, g",
        "h = f",
        "h = g",
        ["h is g now, was f"],
    ),
]

MUCH = """\
class Much:
    pass
M = print
for _ in range(40):
    pair = Much()
    pair.left = pair.right = M
    M = pair
"""
UNTRACKED = [
    ("file", "F = open('/dev/null')\nF.close()\n" + calls("F.read"), "constant F holds a live object (TextIOWrapper)"),
    ("lock", "import threading\nL = threading.Lock()\n" + calls("L"), "constant L holds a live object (lock)"),
    ("much", MUCH + calls("M"), "constant M is a Much that leads to too much to look through"),
    (
        "runner",
        "import cloaca_nb\nR = cloaca_nb.DefaultRunner(':memory:')\nR.shutdown()\n" + calls("R"),
        "constant R holds a live object (DefaultRunner)",
    ),
    ("generator", "G = (x for x in [1])\n" + calls("G"), "constant G holds a live object (generator)"),
    (
        "socket",
        "import socket\nS = socket.socket()\nS.close()\n" + calls("S"),
        "constant S holds a live object (socket)",
    ),
    ("eval", calls("eval"), "eval() may reach code that can't be seen"),
    ("exec in a helper", calls("f") + "def f(x):\n    exec(x)", "exec() may reach"),
    ("another name of eval", "run = eval\n" + calls("run"), "run, which is eval(), may reach"),
    ("eval in a list", "RUN = [eval]\n" + calls("RUN"), "constant RUN holds eval(), which may reach"),
    ("eval as default", "def body(c, run=eval):\n    return run(c)", "task body holds eval()"),
    (
        "eval in a partial",
        "import functools\nrun = functools.partial(eval)\n" + calls("run"),
        "constant run holds eval()",
    ),
    ("eval by its module", "import builtins\n" + calls("builtins.eval"), "builtins.eval, which is eval(), may reach"),
    ("a computed builtin", "import builtins\ndef body(c):\n    return getattr(builtins, c)", "builtins may reach"),
    ("module by name", "import importlib\n" + calls("importlib.import_module"), "importlib.import_module() may reach"),
    (
        "module by another name",
        "from importlib import import_module as get\n" + calls("get"),
        "get, which is importlib",
    ),
    (
        "a computed name of the notebook",
        "import sys\ndef body(c):\n    return getattr(sys.modules['__main__'], c)",
        "sys.modules may reach",
    ),
    (
        "the notebook by import",
        "def body(c):\n    import __main__\n    return getattr(__main__, c)",
        "body imports __main__",
    ),
    ("compiled in the notebook", "f = COMPILED\n" + calls("f"), "f is compiled code without a module"),
    (
        "closure",
        "import threading\ndef make(f):\n    def body(c): return f\n    return body\nbody = make(threading.Lock())",
        "task body holds a live object (lock)",
    ),
]


@pytest.mark.parametrize(("name", "before", "after"), SAME, ids=[one[0] for one in SAME])
def test_what_leaves_it(name, before, after, registry):
    first, second = fingerprint(before), fingerprint(after)
    assert second.differences(first.parts) == []
    assert (first.digest, first.untracked) == (second.digest, ())


@pytest.mark.parametrize(("name", "text", "old", "new", "said"), CHANGED, ids=[one[0] for one in CHANGED])
def test_what_changes_it(name, text, old, new, said):
    first, again, second = fingerprint(text), fingerprint(text), fingerprint(text.replace(old, new))
    assert first.digest == again.digest
    assert first.untracked == ()
    assert first.digest != second.digest
    sentences = [_without_number(one) for one in second.differences(first.parts)]
    assert sentences
    if said is not None:
        assert sentences == said


def _without_number(sentence):
    start = sentence.find("<cell ")
    return sentence if start < 0 else f"{sentence[:start]}<cell>{sentence[sentence.index(')', start) :]}"


@pytest.mark.parametrize(("name", "text", "reason"), UNTRACKED, ids=[one[0] for one in UNTRACKED])
def test_what_cannot_be_tracked(name, text, reason):
    reasons = fingerprint(text).untracked
    assert any(reason in one for one in reasons), reasons


STREAMS = {
    "by its module": "import sys\ndef body(c):\n    print(c, file=sys.stderr)",
    "by itself": "from sys import stdout\ndef body(c):\n    stdout.write(c)",
    "the first of the process": "import sys\n" + calls("sys.__stderr__.write"),
    "in a constant": "import sys\nOUT = {'log': [sys.stderr]}\n" + calls("OUT['log'][0].write"),
    "in a partial": "import functools, sys\nsay = functools.partial(print, file=sys.stdout)\n" + calls("say"),
}


@pytest.mark.parametrize("way", STREAMS)
def test_a_stream_that_is_written_to_is_whichever_the_process_has(way, monkeypatch):
    first = fingerprint(STREAMS[way])
    for name in ("stdout", "stderr", "__stderr__"):
        monkeypatch.setattr(sys, name, io.StringIO())
    second = fingerprint(STREAMS[way])
    assert (first.untracked, second.untracked) == ((), ())
    assert second.differences(first.parts) == []
    assert first.digest == second.digest


SAID = [
    ("gone", "LIMIT = 3\n" + BODY, BODY, ["LIMIT is not defined now, was 3"]),
    ("new", BODY, "LIMIT = 3\n" + BODY, ["LIMIT is 3 now, was not defined"]),
    ("constant to function", "LIMIT = 3\n" + BODY, "def LIMIT(): pass\n" + BODY, ["LIMIT is a function now, was 3"]),
    (
        "text to function",
        "LIMIT = 'a'\n" + BODY,
        "def LIMIT(): pass\n" + BODY,
        ["LIMIT is a function now, was a constant"],
    ),
    (
        "helper no longer used",
        BODY + CLEAN,
        BODY.replace("clean(context, LIMIT)", "LIMIT") + CLEAN,
        ["task body was changed", "helper clean is no longer used"],
    ),
    (
        "helper used now",
        BODY.replace("clean(context, LIMIT)", "LIMIT") + CLEAN,
        BODY + CLEAN,
        ["task body was changed", "helper clean (<cell>) is used now"],
    ),
    (
        "library used now",
        "def body(c):\n    return c",
        "import pandas as pd\ndef body(c):\n    return pd.DataFrame(c)",
        ["task body was changed", f"distribution pandas {pd.__version__} is used now"],
    ),
    (
        "method renamed",
        POINT + calls("Point"),
        POINT.replace("def x", "def y") + calls("Point"),
        ["class Point (<cell>) was changed", "helper Point.x is no longer used", "helper Point.y (<cell>) is used now"],
    ),
    ("builtin to helper", "def body(c):\n    return sum(c)", "def sum(c): pass\ndef body(c):\n    return sum(c)", None),
]


@pytest.mark.parametrize(("name", "before", "after", "said"), SAID, ids=[one[0] for one in SAID])
def test_what_is_said_of_it(name, before, after, said):
    sentences = [_without_number(one) for one in fingerprint(after).differences(fingerprint(before).parts)]
    assert sentences == (["helper sum (<cell>) is used now"] if said is None else said)


def test_a_distribution_counts_by_its_version():
    parts = fingerprint("import pandas as pd\n" + calls("pd.DataFrame")).parts
    assert parts["distribution pandas"].shown == pd.__version__
    assert parts["Python"].shown == f"{sys.version_info.major}.{sys.version_info.minor}"
    other = dict(parts) | {"distribution pandas": parts["distribution pandas"]._replace(digest="", shown="3.0.9")}
    said = fingerprint("import pandas as pd\n" + calls("pd.DataFrame")).differences(other)
    assert said == [f"pandas 3.0.9 → {pd.__version__}"]


def cell_print(text, outputs=("rows",), **namespace):
    parsed = parse_task_cell(text)
    made = {"__name__": "__main__", **namespace}
    cell = CellTask(parsed, lambda function: compile_function(function, "<magic>", made), made, source=text)
    return Fingerprints(content_digest).of(cell.task(outputs, ()))


def test_a_task_cell_counts_by_its_body_and_its_names():
    first = cell_print("%%cloaca_task a\ntotal = sum(rows) + LIMIT", LIMIT=3)
    same = cell_print("%%cloaca_task a --timeout 3\n#| retry-attempts: 2\n\n# so\ntotal = (sum(rows) + LIMIT)", LIMIT=3)
    assert same.digest == first.digest
    other = cell_print("%%cloaca_task a\ntotal = sum(rows) - LIMIT", LIMIT=4)
    assert other.differences(first.parts) == ["task body was changed", "LIMIT is 4 now, was 3"]
    assert cell_print("%%cloaca_task a\ntotal = sum(rows) + LIMIT", ("rows", "LIMIT"), LIMIT=3).digest != first.digest


def test_two_processes_agree():
    script = textwrap.dedent("""
        import runpy, sys
        names = runpy.run_path(sys.argv[1])
        for case in [one[1] for one in (*names["SAME"], *names["CHANGED"])]:
            print(names["fingerprint"](case).digest)
    """)
    printed = [
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", script, __file__],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert len(printed[0].split()) == len(SAME) + len(CHANGED)


@given(st.lists(st.text("abc #'", max_size=9), min_size=3, max_size=3), st.integers(0, 3))
def test_comments_docstrings_and_blank_lines_never_count(texts, blank):
    comment, doc, trailing = texts
    gap = "\n" * blank
    plain = BODY + CLEAN + "LIMIT = 3\n"
    edited = plain.replace(":\n", f":  # {comment}\n    {doc!r}\n{gap}").replace("limit]", f"limit]  # {trailing}")
    assert fingerprint(edited).digest == fingerprint(plain).digest
