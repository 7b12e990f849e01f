"""What scopes bind, and what nested scopes take from outside."""

import ast

import pytest

from cloaca_nb.core.code.bindings import bindings, captured_later, captured_now, free_names

BOUND = [
    ("a = b.c = d[e] = 1", "a:assigned"),
    ("a, [b, *c] = x", "a:assigned b:assigned c:assigned"),
    ("a: int\nb: int = 1\nc.d: int = 1", "a:annotation b:assigned"),
    ("a += 1", "a:assigned"),
    ("del a, b[c]", "a:deleted"),
    ("for a, b in x:\n    c = 1\nelse: d = 1", "a:loop b:loop c:assigned d:assigned"),
    ("for a[(b := 1)] in x: pass", "b:assigned"),
    ("with x as (a, b), y as c.d: pass", "a:with b:with"),
    ("try: pass\nexcept E as a: b = 1", "a:except b:assigned"),
    ("import a.b, c as d\nfrom e import f as g", "a:import d:import g:import"),
    ("match x:\n    case [a, *b] | {'k': C(d=e), **f} as g: pass", "g:pattern a:pattern b:pattern f:pattern e:pattern"),
    ("def f(a=(b := 1)): c = 1", "f:definition b:assigned"),
    ("@(a := d)\nclass C(b): c = 1", "C:definition a:assigned"),
    ("x = [a for a in y if (b := a)]", "x:assigned b:assigned"),
    ("x = lambda a=(b := 1): (c := a)", "x:assigned b:assigned"),
]


@pytest.mark.parametrize(("code", "expected"), BOUND)
def test_bindings(code, expected):
    found = [f"{one.name}:{one.how.value}" for one in bindings(ast.parse(code).body)]
    assert " ".join(found) == expected


FREE = [
    ("def f(a, b=c, *d: e, **g) -> h: return a, b, d, g, i", "c e h i"),
    ("def f():\n    a = 1\n    def g(): return a, b\n    return g", "b"),
    ("def f():\n    nonlocal a\n    a = 1", "a"),
    ("def f(): return f", "f"),
    ("lambda a, b=c: (a, b, d)", "c d"),
    ("class A(B):\n    a = b\n    def f(self): return a, self", "B b a"),
    ("class A:\n    a = a", "a"),
    ("class A:\n    a = 1\n    b = [c for c in a]", ""),
    ("[a for a in b if c for d in a]", "b c"),
    ("{a: b for a in a}", "a b"),
    ("async def f():\n    async for a in b: await a", "b"),
]


@pytest.mark.parametrize(("code", "expected"), FREE)
def test_free_names(code, expected):
    (statement,) = ast.parse(code).body
    node = statement.value if isinstance(statement, ast.Expr) else statement
    assert [name.id for name in free_names(node)] == expected.split()


def test_a_class_uses_names_now_and_its_methods_later():
    node = ast.parse("class A(B):\n    a = b\n    def f(self, c=d): return e\n    g = lambda: h").body[0]
    assert [name.id for name in captured_now(node)] == ["b", "d"]
    assert [name.id for name in captured_later(node)] == ["e", "h"]
