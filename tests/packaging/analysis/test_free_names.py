"""What a piece of code reads of its module, and when."""

import pytest

from cloaca_nb.packaging.analysis.free_names import free_names

# code -> defined, now, later, hinted
CASES = {
    "assignment": ("x = a + b", "x", "a b", "", ""),
    "augmented": ("x += a", "x", "x a", "", ""),
    "bare annotation": ("x: int", "", "int", "", ""),
    "function": ("def f(p, q=D): return p + g(K)", "f", "D", "g K", ""),
    "decorator": ("@dec(a)\ndef f(): pass", "f", "dec a", "", ""),
    "annotations": ("def f(x: A) -> B: pass", "f", "A B", "", ""),
    "annotation as text": ("def f(x: 'A[B]'): pass", "f", "", "", "A B"),
    "annotation that is no code": ("def f(x: 'a b'): pass", "f", "", "", ""),
    "lambda": ("f = lambda x, y=D: x + K", "f", "D", "K", ""),
    "class": ("class C(Base):\n    x = K\n    def m(self): return L", "C", "Base K", "L", ""),
    "comprehension": ("x = [i * a for i in b if c]", "x", "a b c", "", ""),
    "walrus": ("x = (n := f()) + n", "x n", "f n", "", ""),
    "f-string": ("x = f'{a:{w}} {b!r}'", "x", "a w b", "", ""),
    "loop": ("for i in a: b(i)", "i", "a b i", "", ""),
    "imports": ("import a.b, c as d\nfrom e import f as g, h", "a d g h", "", "", ""),
    "global in a function": ("def f():\n    global n\n    n = 1", "f", "", "n", ""),
    "nested function": ("def f():\n    a = 1\n    def g(): return a + K\n    return g", "f", "", "K", ""),
    "match": ("match v:\n    case [a, K.x]: pass\n    case {'k': b, **r}: pass", "a b r", "v K", "", ""),
    "with and except": ("try:\n    with o() as f: pass\nexcept E as e: pass", "f e", "o E", "", ""),
    "deleted": ("del x", "", "", "", ""),
    "await at the top": ("x = await f()", "x", "f", "", ""),
    "return at the top": ("return x", "", "x", "", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_free_names(name: str) -> None:
    code, *expected = CASES[name]
    found = free_names(code)
    assert [set(part) for part in found] == [set(part.split()) for part in expected]


def test_postponed_annotations_are_no_need() -> None:
    found = free_names("def f(x: A) -> 'B': return K", lazy_annotations=True)
    assert (found.now, found.later, found.hinted) == (frozenset(), {"K"}, {"A", "B"})
