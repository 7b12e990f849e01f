"""What code does with its context's keys and with its names."""

import ast
from textwrap import dedent

import pytest

from cloaca_nb.core.names import UNKNOWN, Keys, body_names, function_keys


def keys(reads="", *, optional="", sets="", deletes="", computed=False):
    return Keys(tuple(reads.split()), tuple(optional.split()), tuple(sets.split()), tuple(deletes.split()), computed)


FUNCTIONS = [
    ("nothing", "pass", keys()),
    ("item", "c['a']", keys("a")),
    ("get", "c.get('a'); c.get('b', 1); c.get('d', default=None)", keys("a", optional="b d")),
    ("in", "'a' in c; 'b' not in c", keys(optional="a b")),
    ("in, then read", "'a' in c; c['a']", keys("a")),
    ("guarded read", "if 'a' in c: c['a']", keys(optional="a")),
    ("guarded the other way", "if 'a' not in c: return c\nc['a']", keys(optional="a")),
    ("guarded in an expression", "x = c['a'] if 'a' in c else 0\n'b' in c and c['b']", keys(optional="a b")),
    ("sets", "c['a'] = 1; c.set('b', 1); c.insert('d', 1)", keys(sets="a b d")),
    ("key by name", "c.set(key='a', value=1); c.get(key='b')", keys("b", sets="a")),
    ("update needs the key", "c.update('a', 1)", keys("a", sets="a")),
    ("update_from_dict", "c.update_from_dict({'a': c['x'], 'b': 2})", keys("x", sets="a b")),
    ("update_from_dict of more", "c.update_from_dict(d)", keys(computed=True)),
    ("unpacked into update_from_dict", "c.update_from_dict({'a': 1, **d})", keys(sets="a", computed=True)),
    ("augmented", "c['a'] += 1", keys("a", sets="a")),
    ("deletes", "del c['a']; c.delete('b'); c.remove('d')", keys("a", deletes="a b d")),
    ("pop", "c.pop('a'); c.pop('b', None); c.setdefault('d', 1)", keys("a", optional="b d", sets="d", deletes="a b")),
    ("unpacking", "c['a'], (c['b'], *c['d']) = c['e']", keys("e", sets="a b d")),
    ("for and with targets", "for c['a'] in x: pass\nwith open(p) as c['b']: pass", keys(sets="a b")),
    ("set before read", "c['a'] = 1; c['a']; c.get('a')", keys(sets="a")),
    ("set on one way only", "if x: c['a'] = 1\nc['a']", keys("a", sets="a")),
    ("set on both ways", "if x: c['a'] = 1\nelse: c.set('a', 2)\nc['a']", keys(sets="a")),
    ("set or left", "if x: c['a'] = 1\nelse: return c\nc['a']", keys(sets="a")),
    ("set in a loop", "for x in y: c['a'] = 1\nc['a']", keys("a", sets="a")),
    ("read in the loop's next round", "for x in y:\n    c['a']\n    c['a'] = 1", keys("a", sets="a")),
    ("endless loop", "while True:\n    c['a'] = 1\n    if x: break\nc['a']", keys(sets="a")),
    ("loop over literals", "for k in ('a', 'b'): c[k] = 1\nc['a']; c['b']", keys(sets="a b")),
    ("loop over literals, left", "for k in ('a', 'b'):\n    c[k] = 1\n    if x: break\nc['b']", keys("b", sets="a b")),
    ("loop over other literals", "for k in (1, x): c[k]", keys(computed=True)),
    ("loop variable bound anew", "for k in ('a', 'b'):\n    k = f()\n    c[k]", keys(computed=True)),
    ("nested loops over literals", "for k in ['a']:\n    for l in ['b']: c[k]; c[l]", keys("a b")),
    ("comprehension over literals", "{k: c[k] for k in ('a', 'b')}", keys("a b")),
    ("guarded comprehension", "[c[k] for k in ('a', 'b') if k in c]", keys(optional="a b")),
    ("comprehension", "[c[k] for k in x]", keys(computed=True)),
    ("comprehension with its own c", "[c['a'] for c in x]", keys()),
    ("try", "try: c['a'] = 1\nexcept E: pass\nc['a']", keys("a", sets="a")),
    ("try with else", "try: f()\nexcept E: c['a'] = 1\nelse: c['a'] = 2\nc['a']", keys(sets="a")),
    ("finally", "try: f()\nfinally: c['a'] = 1\nc['a']", keys(sets="a")),
    ("match", "match x:\n    case 1: c['a'] = 1\n    case _: c['a'] = 2\nc['a']", keys(sets="a")),
    ("match without all cases", "match x:\n    case 1: c['a'] = 1\nc['a']", keys("a", sets="a")),
    ("after return", "return c\nc['a']", keys()),
    ("nested function", "def f(): return c['a']\nf()", keys("a")),
    ("nested function with its own c", "def f(c): return c['a']", keys()),
    ("lambda", "g = lambda: c['a']; h = lambda c: c['b']", keys("a")),
    ("class", "class A:\n    x = c['a']\n    def m(self): return c['b']", keys("a b", computed=False)),
    ("f-string", "c[f'a{1}']", keys(computed=True)),
    ("constant", "c[KEY]; c['a']", keys("a", computed=True)),
    ("number", "c[1]", keys(computed=True)),
    ("handed on", "helper(c)", keys(computed=True)),
    ("another name", "d = c", keys(computed=True)),
    ("bound anew", "c = helper()", keys(computed=True)),
    ("all of it", "c.to_dict(); c['a']", keys("a", computed=True)),
    ("data", "c.data", keys(computed=True)),
    ("iterated", "for k in c: pass", keys(computed=True)),
    ("a method as a value", "g = c.get", keys(computed=True)),
    ("returned", "c['a']\nreturn c", keys("a")),
    ("in a call", "f(c['a'], x=c['b'])", keys("a b")),
    ("in-place", "c['a']['b'] = 1", keys("a")),
    ("key of a key", "c[c['a']]", keys("a", computed=True)),
]


@pytest.mark.parametrize(("body", "expected"), [case[1:] for case in FUNCTIONS], ids=[case[0] for case in FUNCTIONS])
def test_function_keys(body, expected):
    lines = body.replace("\n", "\n    ")
    function = ast.parse(f"def task(c, handle=None):\n    {lines}").body[0]
    assert function_keys(function) == expected


def test_async_functions_lambdas_and_functions_without_parameters_have_keys():
    assert function_keys(ast.parse("async def f(ctx):\n    await g(ctx['a'])").body[0]) == keys("a")
    assert function_keys(ast.parse("lambda ctx: ctx['a']", mode="eval").body) == keys("a")
    assert function_keys(ast.parse("def f(): pass").body[0]) == keys()
    assert keys(computed=True) == UNKNOWN


# For each body: what it reads (in brackets where it may have assigned the name), and what it sets.
BODIES = [
    ("assignment", "a = b", "b", "a"),
    ("chain", "a = b = c", "c", "a b"),
    ("unpacking", "(a, *b), c = d", "d", "a b c"),
    ("annotated", "a: int = 1", "int", "a"),
    ("bare annotation", "a: int", "int", ""),
    ("augmented", "a += b", "a b", "a"),
    ("read, then set", "a = a.dropna()", "a", "a"),
    ("set, then read", "a = 1\nb = a", "", "a b"),
    ("private", "_a = 1\nb = _a", "", "b"),
    ("walrus", "print(a := b)", "b print", "a"),
    ("walrus in a condition", "if (a := f()) and a > 1: b = a", "f", "a b"),
    ("walrus that may not happen", "x and (a := 1)\nb = a", "x (a)", "a b"),
    ("walrus in both values", "(a := 1) if x else (a := 2)\nb = a", "x", "a b"),
    ("walrus in a chained comparison", "x < y < (a := 1)\nb = a", "x y (a)", "a b"),
    ("not", "if not (x and (a := f())): a = 1\nb = a", "x f", "a b"),
    ("assert", "assert x and (a := f()), a\nb = a", "x f (a)", "a b"),
    ("if", "if x: a = 1\nb = a", "x (a)", "a b"),
    ("if and else", "if x: a = 1\nelse: a = 2\nb = a", "x", "a b"),
    ("if True", "if True: a = 1\nb = a", "", "a b"),
    ("if, or error", "if x: a = 1\nelse: raise E\nb = a", "x E", "a b"),
    ("for", "for i in x: a = i\nb = a", "x (a)", "a b"),
    ("for over a literal", "for i in (1, 2): a = i\nb = a + i", "", "a b"),
    ("for over a starred literal", "for i in (*x,): a = i\nb = a", "x (a)", "a b"),
    ("for and else", "for i in x:\n    if i: break\nelse: a = 1\nb = a", "x (a)", "a b"),
    ("for with unpacking", "for i, (j, k) in x: a = i + j + k", "x", "a"),
    ("loop variable read after", "for i in x: pass\na = i", "x (i)", "a"),
    ("read in the next round", "for i in x:\n    print(a)\n    a = i", "x print a", "a"),
    ("continue", "for i in (1, 2):\n    if x: continue\n    a = 1\nb = a", "x (a)", "a b"),
    ("while", "while x: a = 1\nb = a", "x (a)", "a b"),
    ("while True", "while True:\n    a = f()\n    if a: break\nb = a", "f", "a b"),
    ("while with walrus", "while a := f(): pass\nb = a", "f", "a b"),
    ("try", "try: a = f()\nexcept E: a = 1\nb = a", "f E", "a b"),
    ("try with a hole", "try: a = f()\nexcept E: pass\nb = a", "f E (a)", "a b"),
    ("try with else", "try: f()\nexcept E: a = 1\nelse: a = 2\nb = a", "f E", "a b"),
    ("try*", "try: a = f()\nexcept* E: a = 1\nb = a", "f E", "a b"),
    ("finally reads", "try: a = f()\nfinally: print(a)", "f print (a)", "a"),
    ("after finally", "try: a = f()\nfinally: print(1)\nb = a", "f print", "a b"),
    ("except as", "try: a = f()\nexcept E as e: a = e\ne", "f E e", "a"),
    ("with", "with open(p) as f: a = f.read()\nb = a", "open p", "a b"),
    ("with that may swallow", "with lock: a = f()\nb = a", "lock f", "a b"),
    ("with that returns", "with lock:\n    a = 1\n    return\nb = a", "lock (a)", "a b"),
    ("match", "match x:\n    case 1: a = 1\n    case _: a = 2\nb = a", "x", "a b"),
    ("match captures", "match x:\n    case {'k': v, **rest}: a = v, rest\n    case [u, *w]: a = u, w", "x", "a"),
    ("match values", "match x:\n    case m.V if y: a = 1\n    case C(k=1): a = 2", "x m y C", "a"),
    ("early return", "if x:\n    a = 1\n    return\nb = 1", "x", "a b"),
    ("after return", "return\na = b", "", ""),
    ("raise at the end", "a = b\nraise E", "b E", ""),
    ("imports", "import os.path\nfrom a import b as c\nd = os, c", "", "d"),
    ("import or None", "try:\n    import a\nexcept ImportError:\n    a = None\nb = a", "ImportError", "b"),
    ("function", "def f(): return x\na = f()", "x", "a"),
    ("function called before the name is set", "def f(): return a\nb = f()\na = 1", "(a)", "b a"),
    ("function called after the name is set", "def f(): return a\na = 1\nb = f()", "", "a b"),
    ("functions that call each other", "def f(): return g()\ndef g(): return f() + x\na = f()", "x", "a"),
    ("function through a function", "def f(): return g()\ndef g(): return a\nb = f()\na = 1", "(a)", "b a"),
    ("decorator, default, annotation", "@d\ndef f(x: T = v) -> R: pass", "d v T R", ""),
    (
        "function's own names",
        "def f(x, *y, z=1, **w):\n    u = x\n    for v in y: pass\n    return u, v, z, w, t",
        "t",
        "",
    ),
    ("lambda", "a = lambda x, y=d: x + y + z", "d z", "a"),
    ("lambda before the name", "f = lambda: a\na = 1", "(a)", "f a"),
    ("lambda in a comprehension", "a = [lambda: b + c for b in x]\nc = b", "x b (c)", "a c"),
    ("class", "class A(B, metaclass=M):\n    x = y\n    z = x\n    def m(self): return w, x", "B M y w x", ""),
    ("comprehension", "a = [x + y for x in z if x > w]", "z w y", "a"),
    ("nested comprehensions", "a = {k: [j for j in k] for k in x}", "x", "a"),
    ("comprehension's variables are its own", "a = [b for b in x]\nc = b", "x b", "a c"),
    ("walrus in a comprehension", "any((a := x) for x in y)\nb = a", "any y (a)", "a b"),
    ("item assigned", "d['m'] = x", "x d", ""),
    ("attribute assigned", "d.x.y = 1", "d", ""),
    ("deleted", "del a", "a", ""),
    ("deleted own", "a = 1\ndel a", "", ""),
    ("deleted own on one way", "a = 1\nif x: del a", "x", "a"),
    ("context", "a = context['k']\ncontext['j'] = b", "b", "a"),
    ("await", "a = await f(x)\nasync for i in y: b = i\nasync with z as w: c = w", "f x y z", "a b c"),
    ("f-string", "a = f'{x!r:{w}}'", "x w", "a"),
    ("set in finally after return", "try:\n    return\nfinally:\n    a = 1", "", "a"),
    ("deleted in finally after return", "a = 1\ntry:\n    return\nfinally:\n    del a", "", ""),
    ("two finally blocks", "try:\n    try: a = f()\n    finally: b = 1\nfinally: c = a", "f (a)", "a b c"),
    ("break through finally", "while True:\n    try: break\n    finally: a = 1\nb = a", "", "a b"),
]


def in_brackets(names):
    return " ".join(f"({name})" if name in names.unsure else name for name in names.reads)


@pytest.mark.parametrize(("body", "reads", "sets"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_body_reads_and_sets(body, reads, sets):
    names = body_names(ast.parse(body).body)
    assert sorted(in_brackets(names).split()) == sorted(reads.split())
    assert " ".join(names.sets) == sets


def test_reads_come_in_the_order_of_the_text():
    names = body_names(ast.parse("a = z + y\nb = f(x, z)\nc = [w for q in v]").body)
    assert names.reads == ("z", "y", "f", "x", "w", "v")


CHANGES = [
    ("item", "df['m'] = 1", "df", "", ""),
    ("nested", "d.a['k'].b = 1", "d", "", ""),
    ("augmented", "df['m'] += 1", "df", "", ""),
    ("item deleted", "del d['k'], e.x", "d e", "", ""),
    ("in a tuple", "a, d['k'] = 1, 2", "d", "", ""),
    ("loop target", "for d['k'] in x: pass", "d", "", ""),
    ("of a result", "f().x = 1", "", "", ""),
    ("of an own value", "d = {}\nd['k'] = 1", "", "", ""),
    ("of a perhaps own value", "if x: d = {}\nd['k'] = 1", "d", "", ""),
    ("in a function", "def f(): d['k'] = 1\nf()", "d", "", ""),
    ("in a function that has its own", "def f(d): d['k'] = 1", "", "", ""),
    ("name deleted", "del a, b", "", "a b", ""),
    ("own name deleted", "a = 1\ndel a", "", "", ""),
    ("method", "rows.append(1)\nrows.sort()", "", "", "rows"),
    ("method of an attribute", "d.rows.append(1)", "", "", "d"),
    ("awaited method", "await q.put(1)", "", "", "q"),
    ("method in a loop", "for i in x: rows.append(i)", "", "", "rows"),
    ("method whose result is used", "a = rows.pop()", "", "", ""),
    ("method of an assigned name", "rows = rows + [1]\nrows.append(2)", "", "", ""),
    ("method in a function", "def f(): rows.append(1)", "", "", ""),
]


@pytest.mark.parametrize(
    ("body", "changed", "deleted", "methods"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_body_changes(body, changed, deleted, methods):
    names = body_names(ast.parse(body).body)
    assert (names.changed, names.deleted) == (tuple(changed.split()), tuple(deleted.split()))
    assert names.methods == tuple(methods.split())


def test_bound_are_all_local_names_but_not_bare_annotations():
    body = """
    import os.path, json as j
    a: int
    b: int = 1
    for c, (d, *e) in x: pass
    with y as f, z as (g, h): pass
    try: pass
    except E as i: pass
    def k(l): m = 1
    class n: o = 1
    match p:
        case {"q": r, **s}: t = [u for u in v if (w := u)]
    """
    names = body_names(ast.parse(dedent(body)).body)
    assert names.bound == {*"bcdefghiknrstw", "os", "j"}


def test_keys_of_a_body_are_those_of_its_context():
    assert body_names(ast.parse("context['a'] = context['b'] + c").body).keys == keys("b", sets="a")
    assert body_names(ast.parse("show(context)").body).keys == UNKNOWN


def test_a_long_body_keeps_every_name():
    body = ast.parse("\n".join(f"for i in x:\n    try: a{n} = a{n} + i\n    finally: b = 1" for n in range(300))).body
    assert len(body_names(body).sets) == 301
