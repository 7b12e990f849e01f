"""What a piece of code reads and writes: the keys of its context, and the names of a task cell's body."""

import ast
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cloaca_nb.core.code.bindings import Function, How, arguments, bindings, own_scope
from cloaca_nb.core.code.context_flow import KeyRecord
from cloaca_nb.core.code.name_flow import root_name
from cloaca_nb.core.code.scope_flow import ScopeFlow

__all__ = ["UNKNOWN", "BodyNames", "Keys", "body_names", "flow_of", "function_keys"]

CONTEXT: Final = "context"  # what a task cell calls its context


class Keys(NamedTuple):
    """What a task does with its context.

    Attributes:
        reads: keys read without a default before the task set them itself, in order of the first read.
        optional: keys read with a default, or asked for with ``in``, and not in `reads`.
        sets: keys that it sets.
        deletes: keys that it deletes.
        computed: some key is no literal, or the context is handed on: nothing is inferred from that.
    """

    reads: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    computed: bool = False


UNKNOWN: Final = Keys(computed=True)


class BodyNames(NamedTuple):
    """What the body of a task cell does with its names.

    Attributes:
        reads: names that may be read before the body assigns them, by first appearance; builtins included.
        unsure: those of `reads` that the body assigns, and may have assigned wherever it reads them.
        sets: names that go to the context, in order.
        changed: names from outside whose item or attribute is assigned or deleted.
        deleted: names from outside that are deleted by ``del``.
        methods: names from outside on which a method is called as a statement of its own.
        bound: every name local to the body.
        keys: what the body does with `context` itself.
    """

    reads: tuple[str, ...]
    unsure: frozenset[str]
    sets: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    methods: tuple[str, ...]
    bound: frozenset[str]
    keys: Keys


def function_keys(function: Function | ast.Lambda) -> Keys:
    """Return what a task's function does with its context: its first parameter, whatever it is called."""
    names = arguments(function)
    if not names:
        return Keys()
    flow = ScopeFlow(names[0])
    if isinstance(function, ast.Lambda):
        flow.visit(function.body)
    else:
        flow.block(function.body)
    return _keys(flow.keys)


def body_names(body: Sequence[ast.stmt]) -> BodyNames:
    """Return what the statements of a task cell do with their names."""
    flow = flow_of(body)
    every = list(bindings(body))
    bound = frozenset(one.name for one in every if one.how is not How.ANNOTATION)
    reads = sorted(flow.reads.items(), key=lambda item: item[1].place)
    outside = [name for name, _ in reads]
    return BodyNames(
        reads=tuple(outside),
        unsure=frozenset(name for name, read in reads if not read.sure and name in bound),
        sets=tuple(name for name in _assigned(every) if flow.may_end_with(name)),
        changed=tuple(flow.changed),
        deleted=tuple(flow.deleted),
        methods=tuple(name for name in _method_owners(body) if name in flow.reads and name not in bound),
        bound=bound,
        keys=_keys(flow.keys),
    )


def flow_of(body: Sequence[ast.stmt]) -> ScopeFlow:
    """Walk the body of a task cell to its end."""
    flow = ScopeFlow(CONTEXT, frozenset(one.name for one in bindings(body)))
    flow.block(body)
    flow.end = flow.state
    return flow


def _keys(record: KeyRecord) -> Keys:
    optional = tuple(key for key in record.optional if key not in record.reads)
    return Keys(tuple(record.reads), optional, tuple(record.sets), tuple(record.deletes), record.computed)


def _assigned(every: Iterable[tuple[str, How, ast.AST]]) -> list[str]:
    """Return the public names that are assigned, and are no imports, functions or classes as well."""
    found = [(name, how) for name, how, _ in every]
    code = {name for name, how in found if how in {How.IMPORT, How.DEFINITION}}
    return list(
        dict.fromkeys(name for name, how in found if how is How.ASSIGNED and name[0] != "_" and name not in code)
    )


def _method_owners(body: Sequence[ast.stmt]) -> list[str]:
    calls = [node.value for node in own_scope(body) if isinstance(node, ast.Expr)]
    calls = [call.value if isinstance(call, ast.Await) else call for call in calls]
    functions = [call.func for call in calls if isinstance(call, ast.Call)]
    owners = [root_name(function.value) for function in functions if isinstance(function, ast.Attribute)]
    return list(dict.fromkeys(owner.id for owner in owners if owner is not None))
