"""Random small notebooks: where an export succeeds, its module holds the values that the notebook's own cells made."""

import re
import sys
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, given, reject, settings, strategies as st

from cloaca_nb.errors import CloacaError
from cloaca_nb.packaging.analysis.notebook import notebook_from_texts
from cloaca_nb.packaging.export.export import export

VALUES = st.sampled_from("abc")
HELPERS = st.sampled_from("fgh")
LITERALS = st.sampled_from(["1", "[]", "[1, 2]", "{}", '{"k": [1]}', "(1, [2])", '"x"'])

# What a helper does; x is its parameter, `kept` has a default, {v} and {w} are names of the notebook, {h} is a helper.
BODIES = st.sampled_from(
    [
        "return x",
        "return {v}",
        "{v}.append(x)",
        "x.append(1); return x",
        "x['k'] = {w}; return x",
        "global {v}; {v} = x",
        "global {v}; {v} += [1]; return {w}",
        "{v}[0] = x",
        "return {h}(x)",
        "y = x; y.append({v}); return y",
        "z = {v}; z.append(2)",
        "def inner(): {v}.append(3)\n    inner()",
        "for one in {v}[:2]: x.append(one)\n    return x",
        "return [one for one in {v}]",
        "kept.append(x); return kept[:]",
    ]
)
STATEMENTS = st.sampled_from(
    [
        "{v} = {l}",
        "{v} = {w}",
        "{v} = {w} = {l}",
        "{v}, {w} = {w}, {v}",
        "{v} += {l}",
        "{v}.append({l})",
        "{v}.append({w})",
        "{v}[0] = {w}",
        "{v}['k'] = {l}",
        "{v}['k'].append({l})",
        "{v} = [{w}, {w}]",
        "{v} = {{'k': {w}}}",
        "{v} = list({w})",
        "{v} = {h}({w})",
        "{v} = {w}.pop()",
        "{v} = {w}[0], {w}.pop(0)",
        "{v} = [one.append(1) for one in {w}]",
        "print({v}.pop())",
        "{h}({v}).append(4)",
        "{v} = {h}({w}); {v}.append(5)",
        "{v} = lambda: {w}",
        "{h}({v})",
        "{h}({l})",
        "print({h}({v}))",
        "[{h}(one) for one in {v}[:2]]",
        "for one in {v}[:2]: {w}.append(one)",
        "for one in [1, 2]: {h}({v})",
        "if {v}: {w} = {l}",
        "if {v}: {h}({w})",
        "while len({v}) < 3: {v}.append(0)",
        "try:\n    {v} = {w}[0]\nexcept Exception:\n    {v} = {l}",
        "({v} := {w})",
        "del {v}",
        "{v} = (lambda: {w})",
        "{v} = len(str({w}))",
        "{v} = sorted([3, 1]); {v}.reverse()",
        "assert {v} is not None",
        "{v}",
        "class C:\n    items = {v}\n    def __init__(self, x): {w}.append(x)\nC({l})",
        "@{h}\ndef k(): return {v}",
        "{v} = {w} if {w} else {l}",
        "{v} = min([{w}, {w}], key=str)",
        "list(map({h}, [{v}]))",
        "{v}.extend(map({h}, [{w}]))",
        "list(map(lambda one: {v}.append(one), {l}))",
        "{v} = sorted([2, 1], key=lambda one: {h}({w}) is None)",
        "print(sorted([2, 1], key=lambda one: {v}.append(one) is None))",
        "{v} = iter({w}); print(next({v}))",
        "{v} = {w}.append\n{v}({l})",
        "globals().update({v}={w})",
        "for one in '{v}{w}': globals()[one] = {l}",
        "setattr({h}, 'seen', {v})",
        "{h}.seen = {v}",
        "{v} = getattr({h}, 'seen', {l})",
    ]
)


@st.composite
def cells(draw: st.DrawFn) -> list[str]:
    """Draw the plain cells of a notebook."""

    def filled(template: str) -> str:
        names = {"v": draw(VALUES), "w": draw(VALUES), "h": draw(HELPERS), "l": draw(LITERALS)}
        return template.format(**names)

    helpers = [f"def {name}(x, kept=[]):\n    {filled(draw(BODIES))}" for name in "fgh"]
    begin = [f"{name} = {draw(LITERALS)}" for name in "abc"]
    statements = [filled(one) for one in draw(st.lists(STATEMENTS, min_size=1, max_size=6))]
    every = [*begin, *helpers, *statements]
    breaks = draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every)))
    found = [""]
    for statement, is_new in zip(every, breaks, strict=True):
        found.append(statement) if is_new else found.append(f"{found.pop()}\n{statement}")
    return found


def made_live(texts: list[str]) -> dict[str, Any]:
    """Execute cells as a kernel does."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for text in texts:
        exec(compile(text, "<cell>", "exec"), names)  # noqa: S102 - our own
    return names


def shown(value: Any) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value() if callable(value) else value))


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(cells())
def test_what_is_exported_has_the_values_of_the_notebook(texts: list[str]) -> None:
    try:
        live = made_live(texts)
        expected = [shown(live[name]) for name in "abc"]
    except Exception:  # noqa: BLE001 - a notebook that fails is none to export
        reject()
    task = "%%cloaca_task look\nfound = [a, b, c]"
    try:
        package = export(notebook_from_texts("sample", [*texts, task]))
    except CloacaError:
        return  # it says what can't be carried, and is never wrong in silence
    module = ModuleType("sample")
    sys.modules[module.__name__] = module
    try:
        exec(compile(package.files[package.entry], "<package>", "exec"), module.__dict__)  # noqa: S102 - our own
        context: dict[str, Any] = {}
        module.look(context)
    finally:
        del sys.modules[module.__name__]
    assert [shown(value) for value in context["found"]] == expected
