"""IPython's syntax is found where a statement begins, and nowhere else."""

import pytest
from hypothesis import assume, given, strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from cloaca_nb.packaging.analysis.magics import cell_magic, tidied, to_python

CALL = "get_ipython()"
CASES = {
    "line magic": ("%matplotlib inline\n", f"{CALL}.run_line_magic('matplotlib', 'inline')\n"),
    "shell line": ("!ls -l\n", f"{CALL}.system('ls -l')\n"),
    "shell line with an open quote": ("!echo don't\nx = 1\n", f'{CALL}.system("echo don\'t")\nx = 1\n'),
    "shell line that starts a triple quote": ("!echo '''\nx = 1\n", f"{CALL}.system(\"echo '''\")\nx = 1\n"),
    "lines of a shell": ("!!ls\n", f"{CALL}.getoutput('ls')\n"),
    "assigned shell line": ("res = !ls\n", f"res = {CALL}.getoutput('ls')\n"),
    "assigned to several": ("a, b = !ls\n", f"a, b = {CALL}.getoutput('ls')\n"),
    "assigned magic": ("t = %sql f()\n", f"t = {CALL}.run_line_magic('sql', 'f()')\n"),
    "timed statement": ("if x:\n    %time y = f()\nt = %time f()\n", "if x:\n    y = f()\nt = f()\n"),
    "timed over two lines": ("%time y = f(1, \\\n  2)\nz\n", "y = f(1,    2)\n\nz\n"),
    "timed nothing": ("%time\n", f"{CALL}.run_line_magic('time', '')\n"),
    "timed and no Python": ("%time !ls\n", f"{CALL}.run_line_magic('time', '!ls')\n"),
    "continued": ("!echo a \\\n  b\nx = 1\n", f"{CALL}.system('echo a    b')\n\nx = 1\n"),
    "indented": ("if x:\n    %cd a\n", f"if x:\n    {CALL}.run_line_magic('cd', 'a')\n"),
    "help": (
        "print?\n?print\nprint??\n",
        "".join(f"{CALL}.run_line_magic('{name}', 'print')\n" for name in ("pinfo", "pinfo", "pinfo2")),
    ),
    "help on a magic": (
        "%cloaca_run?\n?%%cloaca_task\n%%time?\n",
        "".join(f"{CALL}.run_line_magic('pinfo', '{name}')\n" for name in ("%cloaca_run", "%%cloaca_task", "%%time")),
    ),
    "help at the end of a line": ("y = rows[0].x?\n", f"{CALL}.run_line_magic('pinfo', 'rows[0].x')\n"),
    "help on nothing": ("?\n", f"{CALL}.show_usage()\n"),
    "a string that asks": (
        '%cd a\ns = """really?\n"""\n',
        f'{CALL}.run_line_magic(\'cd\', \'a\')\ns = """really?\n"""\n',
    ),
    "modulo at the start of a line": ("%cd a\nx = (7\n% y)\n", f"{CALL}.run_line_magic('cd', 'a')\nx = (7\n% y)\n"),
    "a string that looks like a magic": (
        '%cd a\ns = """\n%d items\n!x\n"""\n',
        f'{CALL}.run_line_magic(\'cd\', \'a\')\ns = """\n%d items\n!x\n"""\n',
    ),
    "a comment that looks like one": ("%cd a\n# %d\n", f"{CALL}.run_line_magic('cd', 'a')\n# %d\n"),
    "not equal": ("%cd a\nx = a != b\n", f"{CALL}.run_line_magic('cd', 'a')\nx = a != b\n"),
    "plain Python": ("x = 5 % 3\n", "x = 5 % 3\n"),
    "assigned to an item": ("d['k'] = !ls\n", f"d['k'] = {CALL}.getoutput('ls')\n"),
    "assigned to an attribute of a call": ("f(1).x = %cd a\n", f"f(1).x = {CALL}.run_line_magic('cd', 'a')\n"),
    "assigned over two lines": ("x = !ls \\\n -l\ny\n", f"x = {CALL}.getoutput('ls   -l')\n\ny\n"),
    "an indented cell": ("\n    x = 1\n    if x:\n        y = 2\n", "\nx = 1\nif x:\n    y = 2\n"),
    "Python's prompts": (">>> x = 1\n>>> if x:\n...     y = 2\n", "x = 1\nif x:\n    y = 2\n"),
    "IPython's prompts": ("In [1]: x = 1\n   ...: y = 2\n", "x = 1\ny = 2\n"),
    "a prompt in a string": (
        '%cd a\n"""\n>>> x\n   \n"""\n',
        f'{CALL}.run_line_magic(\'cd\', \'a\')\n"""\n>>> x\n   \n"""\n',
    ),
    "quoted words": (",f a b\n", 'f("a", "b")\n'),
    "a quoted line": (";f a b\n", 'f("a b")\n'),
    "called by a slash": ("/f x\n", "f(x)\n"),
    "no Python at all": ("x = = 1\n%cd a\n", f"x = = 1\n{CALL}.run_line_magic('cd', 'a')\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_to_python(name: str) -> None:
    text, expected = CASES[name]
    assert to_python(text) == expected


ODD = st.text(alphabet="ab=%!?'\"\\()[]#\n \t:,.>;/", max_size=60)


@given(ODD)
def test_lines_stay_lines(text: str) -> None:
    assert to_python(text).count("\n") == text.count("\n")
    assert tidied(text).count("\n") == text.count("\n")


@given(ODD | st.lists(st.sampled_from([text for text, _ in CASES.values()])).map("".join))
def test_it_is_what_ipython_makes_of_it(text: str) -> None:
    assume("%time" not in text)  # of which the statement is kept
    made = [line for line in to_python(text).split("\n") if line.strip()]
    if made != [line for line in text.split("\n") if line.strip()]:  # else it is Python as it stands
        own = TransformerManager().transform_cell(text)
        assert made == [line for line in own.split("\n") if line.strip()]


TIDIED = {
    "a cell magic": ("%%time\n  x", "%%time\n  x"),
    "a cell magic in an indented cell": ("\n  %%time\n  x = 1", "\n%%time\nx = 1"),
    "a cell magic behind prompts": (">>> %%time\n... x = 1", "%%time\nx = 1"),
    "Python": ("x = 1\n", "x = 1\n"),
    "a magic": ("x = 1\n%cd a\n", "x = 1\n%cd a\n"),
}


@pytest.mark.parametrize("name", TIDIED)
def test_tidied(name: str) -> None:
    text, expected = TIDIED[name]
    assert tidied(text) == expected


CELL_MAGICS = {
    "none": ("x = 1", None),
    "plain": ("%%time\nx = 1", ("time", "", "\nx = 1")),
    "with a line": ("%%capture out --no-stderr\nx", ("capture", "out --no-stderr", "\nx")),
    "below empty lines": ("\n\n%%time\nx", ("time", "", "\n\n\nx")),
    "alone": ("%%time", ("time", "", "\n")),
    "that asks for help": ("%%time?", None),
    "that asks for more help": ("%%time??\nx", None),
    "not first": ("x\n%%time", None),
}


@pytest.mark.parametrize("name", CELL_MAGICS)
def test_cell_magic(name: str) -> None:
    text, expected = CELL_MAGICS[name]
    assert cell_magic(text) == expected
