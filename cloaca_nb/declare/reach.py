"""What a task's code reaches from its function: helpers, classes, constants, local modules and distributions.

Names are looked up as Python would, in the live namespace. Code of that namespace is followed function by function;
another local module counts as a whole, by its source; a distribution by its version; the standard library not at all.
"""

import builtins
import os
import types
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cloaca_nb.declare.code_reads import Chain, code_reads
from cloaca_nb.declare.code_text import CodeTexts, digest_text
from cloaca_nb.declare.environment import variables_read
from cloaca_nb.declare.held import attached, closure, members
from cloaca_nb.declare.known_code import KnownCode, Lead, Name, Node, Part, Unit, key_of
from cloaca_nb.declare.library_settings import library_settings
from cloaca_nb.declare.modules import Modules
from cloaca_nb.declare.place import file_label
from cloaca_nb.declare.random_generators import is_random_generator
from cloaca_nb.declare.secrecy import function_holds_secret, holds_secret
from cloaca_nb.declare.shapes import Shape, Shapes
from cloaca_nb.declare.task import task
from cloaca_nb.declare.unseen import unseen
from cloaca_nb.declare.watch import MISSING, Watch, watch_class, watch_function, watch_name

__all__ = ["Part", "Reach", "Unit"]


class _Look(NamedTuple):
    """What a look at one thing gave."""

    units: tuple[Unit, ...] = ()
    leads: tuple[Lead, ...] = ()
    watch: Watch | None = None


class Reach:
    """What is reached from the functions of one module; made for one run, since values may change after it.

    Args:
        module: the name of the module of the tasks' functions.
        shapes: digests values.
        modules: knows local modules and distributions.
        known: what was reached in earlier runs.
        texts: reads the source of functions.
    """

    def __init__(self, module: str, shapes: Shapes, modules: Modules, known: KnownCode, texts: CodeTexts) -> None:
        self._module = module
        self._shapes = shapes
        self._modules = modules
        self._known = known
        self._texts = texts
        self._nodes: dict[Any, Node] = {}
        self._leads: dict[Any, tuple[Lead, ...]] = {}  # holds what the ids among the keys stand for
        self._right: set[Node] = set()

    def reached(self, start: Iterable[Any]) -> list[tuple[Lead, Node]]:
        """Return everything that is reached from `start`, each with what it came to."""
        waiting, seen, found = list(_leads(start)), set(), []
        while waiting:
            one = waiting.pop()
            key = key_of(one)
            if key in seen:
                continue
            seen.add(key)
            found.append((one, self._node(key, one)))
            waiting += self._leads[key][1:]
        return found

    def still(self, nodes: Iterable[Node]) -> bool:
        """Say whether all of what was reached in an earlier run would be the same now."""
        right = self._right
        for node in nodes:  # not all(): this is what a task costs whose code didn't change
            if node in right:
                continue
            watch = node.watch
            if watch is not None and watch.holds():
                right.add(node)
                continue
            one = node.one()
            if one is None or self._node(key_of(one), one) is not node:
                return False
        return True

    def _node(self, key: Any, one: Lead) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node, leads = self._from_before(one) or self._anew(one)
            self._nodes[key], self._leads[key] = node, (one, *leads)
            self._right.add(node)
        return node

    def _from_before(self, one: Lead) -> tuple[Node, tuple[Lead, ...]] | None:
        node = self._known.node(self._module, one)
        if node is None or node.watch is None or not node.watch.holds():
            return None
        leads = [lead for lead in node.leads() if lead is not None]
        return (node, tuple(leads)) if len(leads) == len(node.leads()) else None

    def _anew(self, one: Lead) -> tuple[Node, tuple[Lead, ...]]:
        look = self._look_at(one)
        watch = look.watch if look.watch is not None and look.watch.holds() else None  # else it changed meanwhile
        before = self._known.node(self._module, one)
        if before is not None and before.came_to(look.units, look.leads):
            before.watch = watch
            return before, look.leads
        node = Node(one, look.units, look.leads, watch)
        self._known.keep_node(self._module, one, node)
        return node, look.leads

    def _look_at(self, one: Lead) -> _Look:
        match one:
            case Name():
                return self._name(one)
            case str():
                return _Look(
                    tuple(Unit(name, Part(*part), reasons) for name, part, reasons in self._modules.found(one))
                )
            case types.FunctionType():
                return self._function(one)
            case _:
                return self._class(one)

    def _is_own(self, module: str) -> bool:
        return module == self._module or self._modules.is_live_only(module)

    # -- functions

    def _function(self, function: types.FunctionType) -> _Look:
        watch = watch_function(function)
        module = str(function.__globals__.get("__name__", ""))
        name = _named(module, function.__code__.co_qualname, self._module)
        if not self._is_own(module):
            held = self._held_elsewhere(function, f"settings of {name}")
            part = Part(held.digest, secret=function_holds_secret(function))
            units = (Unit(f"settings of {name}", part, held.untracked),) if held.held else ()
            return _Look(units, (module, *_leads(held.leads_to)), watch)
        held = self._held(function, f"helper {name}")
        text = self._texts.of(function.__code__)
        decorators = [one for one in text.decorators if not _is_task(one.chain, function.__globals__)]
        if text.decorators:
            watch = _both(watch, [_first(function, one.chain) for one in text.decorators if one.chain])
        reads = code_reads(function.__code__)
        chains = dict.fromkeys((*reads.chains, *(chain for one in decorators for chain in one.arguments)))
        names = [Name(function, chain) for chain in chains]
        digest = digest_text(text.digest, held.digest, *(one.digest for one in decorators))
        part = Part(digest, _where(function), secret=function_holds_secret(function))
        reasons = (*held.untracked, *_main(reads.imports, name))
        package = str(function.__globals__.get("__package__") or "")
        imported = tuple(self._modules.names(reads.imports, package))
        variables = variables_read(function, chains)
        watch = watch if variables is None else None  # they may be changed by anybody
        found = (Unit(f"helper {name}", part, reasons), *(variables or ()))
        return _Look(found, (*names, *_leads(held.leads_to), *imported), watch)

    def _held(self, function: types.FunctionType, owner: str) -> Shape:
        """Digest what a function object holds besides its code: defaults and what its closure took along."""
        held = [one for one in (function.__defaults__, function.__kwdefaults__, closure(function)) if one]
        held += attached(function)
        return self._shapes.of(held, owner, inside=function) if held else Shape("", (), (), held=False)

    def _held_elsewhere(self, function: types.FunctionType, owner: str) -> Shape:
        """Digest what a library's function holds: of its decorators, what they were told, and not their machinery."""
        if not hasattr(function, "__wrapped__"):
            return self._held(function, owner)
        told = library_settings([function.__defaults__, function.__kwdefaults__, closure(function)])
        return self._shapes.of([told, *attached(function)], owner, inside=function)

    # -- classes

    def _class(self, kind: type) -> _Look:
        if not isinstance(kind.__module__, str):  # a compiled type that has a descriptor there, as Cython's functions
            return _Look(leads=(), watch=Watch(()))
        if not self._is_own(kind.__module__):
            return _Look(leads=(kind.__module__,), watch=Watch(()))
        watch = watch_class(kind)
        name = _named(kind.__module__, kind.__qualname__, self._module)
        own = members(kind)
        held: list[Any] = [list(kind.__bases__), type(kind), own]
        if "_member_map_" in vars(kind):
            held.append([(key, one.value) for key, one in vars(kind)["_member_map_"].items()])
        shape = self._shapes.of(held, f"class {name}", inside=kind)
        part = Part(shape.digest, _where_of_class(kind), secret=holds_secret(own))
        return _Look((Unit(f"class {name}", part, shape.untracked),), _leads(shape.leads_to), watch)

    # -- names

    def _name(self, place: Name) -> _Look:
        """Look up a name with the attributes that are asked of it, as far as these lead through modules."""
        namespace, chain = place.owner.__globals__, place.chain
        value = namespace.get(chain[0], MISSING)
        if value is MISSING:
            watch = watch_name(place.owner, chain[:1], (MISSING,))
            if chain[0] in vars(builtins):
                return self._builtin(chain[0])._replace(watch=watch)
            return _Look((Unit(f"name {chain[0]}", Part(digest_text("undefined"), shown="undefined")),), watch=watch)
        values, complete = [value], True
        for attribute in chain[1:]:
            if not isinstance(values[-1], types.ModuleType | types.FunctionType):
                break
            value = _attribute(values[-1], attribute)
            if value is MISSING:
                complete = False  # it may get that attribute later
                break
            values.append(value)
        followed = chain[: len(values)]
        named = _named(str(namespace.get("__name__", "")), ".".join(followed), self._module)
        look = self._value(named, values[-1])
        watch = watch_name(place.owner, followed, tuple(values)) if complete else None
        return _Look(look.units, (*_leads(values[:-1]), *look.leads), watch)

    def _builtin(self, name: str) -> _Look:
        value = vars(builtins)[name]
        return self._value(name, value) if unseen(value) else _Look()

    def _value(self, name: str, value: Any) -> _Look:
        if shown := unseen(value):
            named = shown if shown.rstrip("()") == name else f"{name}, which is {shown},"
            part = Part(digest_text("unseen", shown), shown=shown)
            return _Look((Unit(f"name {name}", part, (f"{named} may reach code that can't be seen",)),))
        if value is os.environ:  # whoever names it says more, see `variables_read`
            return _Look()
        if isinstance(value, types.ModuleType):
            own = value.__name__
            return _Look((Unit(f"name {name}", Part(digest_text("module", own), shown=own)),), (own,))
        if isinstance(value, types.FunctionType | type):
            own = value.__code__.co_qualname if isinstance(value, types.FunctionType) else value.__qualname__
            shape = self._shapes.of(value, name)
            return _Look((Unit(f"name {name}", Part(shape.digest, shown=own), shape.untracked),), _leads((value,)))
        named = f"random generator {name}" if is_random_generator(value) else f"constant {name}"
        shape = self._shapes.of(value, named)
        if not shape.held:  # nothing but code of others: a C function
            part = Part(shape.digest, shown=str(getattr(value, "__qualname__", "")))
            return _Look((Unit(f"name {name}", part, shape.untracked),), _leads(shape.leads_to))
        secret = holds_secret({**getattr(value, "__dict__", {}), name.rpartition(".")[2]: value})
        part = Part(shape.digest, shown="" if secret else _shown(value), secret=secret)
        return _Look((Unit(named, part, shape.untracked),), _leads(shape.leads_to))


def _leads(found: Iterable[Any]) -> tuple[Lead, ...]:
    """Return what a walk through a value found; modules by their names."""
    return tuple(one.__name__ if isinstance(one, types.ModuleType) else one for one in found)


def _attribute(owner: types.ModuleType | types.FunctionType, name: str) -> Any:
    """Return an attribute of a module, or one that somebody set on a function."""
    if isinstance(owner, types.FunctionType):
        return owner.__dict__.get(name, MISSING)
    return getattr(owner, name, MISSING)


def _first(function: types.FunctionType, chain: Chain) -> Watch | None:
    value = function.__globals__.get(chain[0], MISSING)
    return watch_name(function, chain[:1], (value,))


def _both(watch: Watch | None, others: Iterable[Watch | None]) -> Watch | None:
    for other in others:
        watch = None if watch is None or other is None else watch.and_also(other)
    return watch


def _named(module: str, name: str, own: str) -> str:
    shown = name.replace(".<locals>", "")
    return shown if module == own else f"{module}.{shown}"


def _where(function: types.FunctionType) -> str:
    label = file_label(function.__code__.co_filename)
    return label if label.startswith("Cell ") else f"{label}:{function.__code__.co_firstlineno}"


def _where_of_class(kind: type) -> str:
    """Return where a class stands, as far as one of its methods tells; without the line, which is the method's."""
    for name, one in list(vars(kind).items()):
        if isinstance(one, types.FunctionType) and one.__code__.co_qualname == f"{kind.__qualname__}.{name}":
            label = file_label(one.__code__.co_filename)
            if label != "<string>":  # what a dataclass made
                return label
    return ""


def _is_task(chain: Chain, namespace: dict[str, Any]) -> bool:
    """Say whether a decorator is the one that makes tasks: its options are no code of the task."""
    if not chain:
        return False
    value = namespace.get(chain[0])
    for name in chain[1:]:
        value = getattr(value, name, None)
    return value is task or (value is None and chain[-1] == "task")


def _main(imports: Iterable[tuple[str, int, tuple[str, ...]]], name: str) -> Iterator[str]:
    if any(module == "__main__" for module, _, _ in imports):
        yield f"{name} imports __main__, and what it takes from there can't be seen"


def _shown(value: Any) -> str:
    """Return what a difference may say of a constant: numbers alone, since texts may be secrets."""
    return repr(value) if type(value) in (int, float, bool, type(None)) and len(repr(value)) < 24 else ""  # noqa: PLR2004
