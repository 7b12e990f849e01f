"""The function that a task cell stands for: its text, line by line, and its tracebacks."""

import ast
import asyncio
import linecache
import traceback
from textwrap import dedent

import pytest

from cloaca_nb.core.cells import compile_function, function_text, parse_task_cell, resolve
from cloaca_nb.core.context import Context
from cloaca_nb.errors import CellError


def text_of(body, options=""):
    cell = parse_task_cell(f"%%cloaca_task t {options}\n{body}")
    return function_text(cell, resolve(cell, {"df", "rows", "n"}, {"year"}))


def numbered(text):
    lines = text.text.splitlines()
    return [f"{number} {line}".rstrip() for number, line in zip(text.lines, lines, strict=True)]


# For each body the function's lines, each with the line of the cell that it stands for; the body starts in line 2.
TEXTS = [
    ("nothing", "", ["1 def t(context):", "1     return context"]),
    ("a comment", "\n# later\n", ["1 def t(context):", "3     # later", "1     return context"]),
    (
        "in, work, out",
        "tidy = df.dropna()",
        [
            "1 def t(context):",
            '2     df = context["df"]',
            "2     tidy = df.dropna()",
            '2     context["tidy"] = tidy',
            "2     return context",
        ],
    ),
    (
        "comments, blank lines and formatting stay",
        "\n# first\na = (n +\n  1)  # one\n\n\nb = {'k':   a}\n\n# last\n",
        [
            "1 def t(context):",
            '4     n = context["n"]',
            "4",
            "3     # first",
            "4     a = (n +",
            "5       1)  # one",
            "6",
            "7",
            "8     b = {'k':   a}",
            "9",
            "10     # last",
            "4",
            '4     context["a"] = a',
            '8     context["b"] = b',
            "8     return context",
        ],
    ),
    (
        "inputs come in the order of their use",
        "a = year\nb = n + df",
        [
            "1 def t(context):",
            '2     year = context["year"]',
            '3     n = context["n"]',
            '3     df = context["df"]',
            "2     a = year",
            "3     b = n + df",
            '2     context["a"] = a',
            '3     context["b"] = b',
            "3     return context",
        ],
    ),
    (
        "the docstring stays first",
        '# top\n"""What it does.\n\nMore of it."""\n\na = n',
        [
            "1 def t(context):",
            "2     # top",
            '3     """What it does.',
            "4",
            '5     More of it."""',
            '7     n = context["n"]',
            "7     a = n",
            '7     context["a"] = a',
            "7     return context",
        ],
    ),
    (
        "strings are not indented",
        "if n:\n    a = '''x\n y'''\nb = (\n'''u\nv''', f'''w{\nn}'''\n)",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            "2",
            "2     if n:",
            "3         a = '''x",
            "4  y'''",
            '3         context["a"] = a',
            "5     b = (",
            "6     '''u",
            "7 v''', f'''w{",
            "8 n}'''",
            "9     )",
            "5",
            '5     context["b"] = b',
            "9     return context",
        ],
    ),
    (
        "an early return sets what has a value",
        "if not n:\n    empty = True\n    return  # nothing\nfull = n",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            "2",
            "2     if not n:",
            "3         empty = True",
            '4         context["empty"] = empty',
            "4         return context  # nothing",
            "5     full = n",
            "5",
            '5     context["full"] = full',
            "5     return context",
        ],
    ),
    (
        "what perhaps has no value is set in place",
        "for i in rows:\n    last = i\nif rows: some = 1; more = 2\nall = 3",
        [
            "1 def t(context):",
            '2     rows = context["rows"]',
            "2",
            "2     for i in rows:",
            "3         last = i",
            '3         context["last"] = last',
            '4     if rows: some = 1; context["some"] = some; more = 2; context["more"] = more',
            "5     all = 3",
            "5",
            '5     context["all"] = all',
            "5     return context",
        ],
    ),
    (
        "what can't be set in place is asked for",
        "n and (a := n + 1)\nif n: return",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            "2     n and (a := n + 1)",
            '3     if n: "a" in locals() and context.set("a", a); return context',
            '2     if "a" in locals(): context["a"] = a',
            "3     return context",
        ],
    ),
    (
        "changed",
        "df['m'] = 1\nif n: rows['k'] = 2",
        [
            "1 def t(context):",
            '2     df = context["df"]',
            '3     n = context["n"]',
            '3     rows = context["rows"]',
            "2     df['m'] = 1",
            "3     if n: rows['k'] = 2; context[\"rows\"] = rows",
            '2     context["df"] = df',
            "3     return context",
        ],
    ),
    (
        "deleted",
        "if n:\n    del df, rows",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            '3     df = context["df"]',
            '3     rows = context["rows"]',
            "2     if n:",
            "3         del df, rows",
            '3         context.delete("df")',
            '3         context.delete("rows")',
            "3     return context",
        ],
    ),
    (
        "no end",
        "if n: return context\nraise ValueError(n)",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            "2     if n: return context",
            "3     raise ValueError(n)",
        ],
    ),
    (
        "a late value",
        "try:\n    return\nfinally:\n    a = 1",
        [
            "1 def t(context):",
            "2     try:",
            "3         return context",
            "4     finally:",
            "5         a = 1",
            '5         context["a"] = a',
        ],
    ),
    (
        "await",
        "a = [x async for x in n]",
        [
            "1 async def t(context):",
            '2     n = context["n"]',
            "2     a = [x async for x in n]",
            '2     context["a"] = a',
            "2     return context",
        ],
    ),
    (
        "a bare annotation of the notebook's own",
        "rate: float\na: int = rate",
        [
            "1 def t(context):",
            "2     (rate): float",
            "3     a: int = rate",
            '3     context["a"] = a',
            "3     return context",
        ],
    ),
    (
        "continued lines",
        "if n: \\\n  a = 1\nb = 1; \\\nreturn",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            "2",
            "2     if n: \\",
            '3       a = 1; context["a"] = a',
            "4     b = 1; \\",
            '5     context["b"] = b; return context',
        ],
    ),
    (
        "letters of more than one byte",
        "x = 'ä'; ö = 'ü' if n else 'é'; return",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            "2     x = 'ä'; ö = 'ü' if n else 'é'; context[\"x\"] = x; context[\"ö\"] = ö; return context",
        ],
    ),
    (
        "tabs",
        "if n:\n\ta = 1",
        [
            "1 def t(context):",
            '2     n = context["n"]',
            "2     if n:",
            "3     \ta = 1",
            '3     \tcontext["a"] = a',
            "3     return context",
        ],
    ),
]


@pytest.mark.parametrize(("body", "lines"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_text(body, lines):
    text = text_of(body)
    assert numbered(text) == lines
    ast.parse(text.text)


def test_optional_inputs_and_given_outputs():
    assert numbered(text_of("rows.append(year)", "--in rows,year? --out rows")) == [
        "1 def t(context):",
        '2     rows = context["rows"]',
        '2     year = context.get("year")',
        "2     rows.append(year)",
        '2     context["rows"] = rows',
        "2     return context",
    ]


def test_an_input_that_the_body_never_names_is_there_all_the_same():
    assert '    df = context["df"]\n' in text_of("a = query('select * from df')", "--in df").text


# -- running it

RUNS = [
    ("one value", "total = n + 1", {"n": 1}, {"n": 1, "total": 2}),
    ("chain", "n += 1", {"n": 1}, {"n": 2}),
    ("in place", "df['m'] = n", {"df": {}, "n": 1}, {"df": {"m": 1}, "n": 1}),
    ("changed after it was set", "if n:\n    a = []\n    a.append(n)", {"n": 1}, {"n": 1, "a": [1]}),
    ("not reached", "if n:\n    a = 1", {"n": 0}, {"n": 0}),
    ("deleted", "del n", {"n": 1}, {}),
    ("swallowed error", "with quiet():\n    a = 1\n    b = 1 / 0", {}, {"a": 1}),
    ("closure", "def f(): return a + n\na = 1\nb = f()", {"n": 1}, {"n": 1, "a": 1, "b": 2}),
    ("comprehension with closure", "b = [f() for f in [lambda: n]]", {"n": 1}, {"n": 1, "b": [1]}),
    ("class", "class A:\n    x = n\n    def y(self): return n\nb = A().x + A().y()", {"n": 1}, {"n": 1, "b": 2}),
    ("the context itself", "context['k'] = n\nm = context['k']", {"n": 1}, {"n": 1, "k": 1, "m": 1}),
    (
        "loop with else",
        "for i in rows:\n    if i == n: break\nelse: a = 1",
        {"rows": [], "n": 1},
        {"rows": [], "n": 1, "a": 1},
    ),
    ("string", "a = '''x\n  y'''", {}, {"a": "x\n  y"}),
    ("match", "match n:\n    case {'k': v}: a = v\n    case _: a = 0", {"n": {"k": 2}}, {"n": {"k": 2}, "a": 2}),
]


class Quiet:
    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return True


@pytest.mark.parametrize(("body", "start", "expected"), [case[1:] for case in RUNS], ids=[case[0] for case in RUNS])
def test_running(body, start, expected):
    function = compile_function(text_of(body), "<cell>", {"quiet": Quiet})
    context = Context(start)
    assert function(context) is context
    assert dict(context) == expected


def test_running_async():
    async def answer(value):
        return value + 1

    namespace = {"answer": answer}
    function = compile_function(text_of("a = await answer(n)"), "<cell>", namespace)
    context = asyncio.run(function(Context({"n": 1})))
    assert context["a"] == 2


def test_globals_are_the_notebooks_and_no_name_is_added():
    namespace = {"rate": 2, "__name__": "__main__"}
    function = compile_function(text_of("a = rate"), "<cell>", namespace)
    assert function.__globals__ is namespace
    assert {*namespace} == {"rate", "__name__", "__builtins__"}
    namespace["rate"] = 3
    assert function(Context())["a"] == 3


# -- tracebacks: a cell, and the line and the marked code that an error shows

ERRORS = [
    ("plain", "%%cloaca_task t\n\na = 1\nb = a / 0", 4, "a / 0"),
    ("after options", "%%cloaca_task t\n#| timeout: 3\n#| after: x\nb = 1 / 0", 4, "1 / 0"),
    ("after inputs and sets in place", "%%cloaca_task t\nfor i in (n, 0):\n    a = i\n    b = 1 // i", 4, "1 // i"),
    ("in a nested function", "%%cloaca_task t\ndef f():\n    return n / 0\na = f()", 3, "n / 0"),
    ("behind a string", "%%cloaca_task t\na = '''x\ny'''\nb = 1 / 0", 4, "1 / 0"),
    ("below a string", "%%cloaca_task t\na = f('''x\ny''', 1 / 0)", 3, "1 / 0"),
    ("absent input", "%%cloaca_task t\na = 1\nb = df", 3, ""),
]


@pytest.mark.parametrize(("cell", "line", "marked"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_tracebacks_show_the_cell(cell, line, marked):
    parsed = parse_task_cell(cell)
    text = function_text(parsed, resolve(parsed, {"n", "df"}, ()))
    filename = f"<cell {cell!r}>"
    function = compile_function(text, filename, {"f": print})
    linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
    with pytest.raises((ZeroDivisionError, KeyError)) as raised:
        function(Context({"n": 1}))
    frame = next(one for one in reversed(traceback.extract_tb(raised.value.__traceback__)) if one.filename == filename)
    assert frame.lineno == line
    if marked:
        source = cell.splitlines()[line - 1].encode()
        assert source[frame.colno : frame.end_colno].decode() == marked


def test_a_function_starts_in_the_line_of_its_magic():
    code = compile_function(text_of("a = 1"), "<cell>", {}).__code__
    assert (code.co_firstlineno, code.co_name, code.co_filename) == (1, "t", "<cell>")


def test_a_condition_in_finally_behind_a_return_is_refused():
    body = dedent("""
        try:
            return
        finally:
            n and (a := 1)
    """)
    with pytest.raises(CellError, match=r"line 6: `a` gets its value in `finally` .* a statement of its own"):
        text_of(body)
