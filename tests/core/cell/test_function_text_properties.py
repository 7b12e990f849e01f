"""One semantics, two spellings: a cell's body run plainly, and the function made of it, leave the same values."""

import ast
import contextlib

import hypothesis.strategies as st
from hypothesis import HealthCheck, event, given, reject, settings

from cloaca_nb.core.cells import compile_function, function_text, keys_of, parse_task_cell, resolve
from cloaca_nb.core.code.bindings import How, bindings
from cloaca_nb.core.context import Context
from cloaca_nb.errors import CellError

NAMES = ("a", "b", "c", "d", "_p")
name = st.sampled_from(NAMES)
taken = st.sampled_from(["tick()", "a", "b + 1 if coin() else tick()", "(c := tick())", "[x for x in (1, 2)][0]"])


@st.composite
def simple(draw):
    target = draw(name)
    form = draw(
        st.sampled_from(
            [
                "{n} = {v}",
                "{n} = {v}",
                "{n} = {v}",
                "{n}, {m} = tick(), {v}",
                "{n} += 1",
                "{n}: int = {v}",
                "del {n}",
                "box['k'] = {v}",
                "boom()",
                "coin() and ({n} := tick())",
                "[({n} := x) for x in range(coin())]",
                "note({n})",
                "{n} = 1; {m} = 2",
                "import math as {n}",
                "return",
                "return context",
                "{n} = '''x\n  y'''",
                "pass  # {n}",
            ]
        )
    )
    return form.format(n=target, m=draw(name), v=draw(taken))


def indented(text):
    return "\n".join(f"    {line}" for line in text.split("\n"))


def blocks(inner):
    body = st.lists(inner, min_size=1, max_size=3).map("\n".join)

    @st.composite
    def compound(draw):
        n, one, two, three = draw(name), draw(body), draw(body), draw(body)
        one, two, three = indented(one), indented(two), indented(three)
        forms = [
            f"if coin():\n{one}",
            f"if coin():\n{one}\nelse:\n{two}",
            f"if coin() and ({n} := tick()):\n{one}\nelif ({n} := coin()):\n{two}",
            f"for i in range(coin()):\n{one}\nelse:\n{two}",
            f"for {n} in (1, 2):\n{one}\n    if coin(): break\n    if coin(): continue\n{two}",
            f"while coin():\n{one}",
            f"while True:\n{one}\n    break",
            f"try:\n{one}\nexcept Boom:\n{two}",
            f"try:\n{one}\nexcept Boom as {n}:\n{two}\nelse:\n{three}",
            f"try:\n{one}\nfinally:\n{two}",
            f"with suppress(Boom):\n{one}",
            f"with nullcontext(1) as {n}:\n{one}",
            f"match coin():\n    case 1 if coin():\n{indented(one)}\n    case {n}:\n{indented(two)}",
            f"if coin(): {n} = tick()",
            f"if coin(): {n} = 1; return",
            f"def f():\n    note({n})\n    box['f'] = 1\nf()",
        ]
        return draw(st.sampled_from(forms))

    return compound()


statement = st.recursive(simple(), lambda inner: simple() | blocks(inner), max_leaves=8)
bodies = st.lists(statement, min_size=1, max_size=5).map("\n".join)


class BoomError(Exception):
    """What the bodies raise and catch."""


class Left(BaseException):
    """A `return` of a body that runs as plain code."""


class World:
    """The notebook's own names for one execution: the same answers in the same order each time."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.noted = []
        self.ticks = 0

    def coin(self):
        return self.answers.pop() if self.answers else 0

    def tick(self):
        self.ticks += 1
        return self.ticks

    def boom(self):
        if self.coin():
            raise BoomError

    def namespace(self):
        return {
            "coin": self.coin,
            "tick": self.tick,
            "boom": self.boom,
            "note": self.noted.append,
            "Boom": BoomError,
            "suppress": contextlib.suppress,
            "nullcontext": contextlib.nullcontext,
        }


class Leave(ast.NodeTransformer):
    """Makes of a body plain code: `return` becomes an error that nothing catches."""

    def visit_Return(self, node):
        return ast.copy_location(ast.parse("raise Left").body[0], node)


def run_plainly(body, start, world):
    """Run the body as a cell without magic; return its names as they are at its end, and how it ended."""
    tree = ast.fix_missing_locations(Leave().visit(ast.parse(body)))
    names = {**world.namespace(), "Left": Left, **start}
    try:
        exec(compile(tree, "plain", "exec"), names)  # noqa: S102 - what the function is compared with
    except Left:
        pass
    except Exception as error:  # noqa: BLE001 - whatever a body raises, the other way must raise
        return None, error
    return names, None


def run_as_function(text, start, world):
    function = compile_function(text, "cell", world.namespace())
    context = Context(start)
    try:
        assert function(context) is context
    except Exception as error:  # noqa: BLE001 - whatever a body raises, the other way must raise
        return None, error
    return context, None


def base(error):
    return NameError if isinstance(error, NameError) else type(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(bodies, st.sets(name), st.lists(st.integers(0, 2), max_size=12))
def test_plain_cell_and_function_leave_the_same_values(body, outputs, answers):
    outputs = {*outputs, "box"} - {"_p"}
    cell = parse_task_cell(f"%%cloaca_task work\n{body}")
    try:
        resolution = resolve(cell, outputs, ())
        text = function_text(cell, resolution)
    except CellError:
        reject()
    start = {key: 100 + number for number, key in enumerate(sorted(outputs - {"box"}))}
    plain_world, world = World(answers), World(answers)
    names, plain_error = run_plainly(body, {**start, "box": {}}, plain_world)
    context, error = run_as_function(text, {**start, "box": {}}, world)
    if plain_error is not None or error is not None:
        event("fails")
        assert base(plain_error) is base(error)
        return
    event("ends")
    assert repr(world.noted) == repr(plain_world.noted)
    keys = keys_of(cell, resolution)
    # What the body deletes and binds again as a loop variable or import is not put back.
    elsewise = {one.name for one in bindings(ast.parse(body).body) if one.how is not How.DELETED} - {*keys.sets}
    for key in {*keys.sets, *keys.deletes} - elsewise:
        if key in names:
            assert context[key] == names[key], key
        else:
            assert key not in context or (key not in keys.deletes and context[key] == start.get(key)), key
    for key in start.keys() - {*keys.sets, *keys.deletes}:
        assert context[key] == start[key], key


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies, st.sets(name))
def test_every_line_stands_for_a_line_of_the_cell(body, outputs):
    cell = parse_task_cell(f"%%cloaca_task work\n{body}")
    try:
        text = function_text(cell, resolve(cell, {*outputs, "box"}, ()))
    except CellError:
        reject()
    assert text.text.count("\n") == len(text.lines)
    assert {*text.lines} <= {*range(1, body.count("\n") + 3)}
    pairs = list(zip(text.text.splitlines(), text.lines, strict=True))
    for number, author in enumerate(body.split("\n"), start=2):
        found = [line for line, place in pairs if place == number and is_within(author, line)]
        assert found or not author.strip(), author


def is_within(author, line):
    """Say whether `line` has all of the author's characters, in their order."""
    characters = iter(line)
    return all(one in characters for one in author.strip())
