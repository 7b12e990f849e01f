"""What a task's code reaches from its function: helpers, classes, constants, local modules and distributions.

Names are looked up as Python would, in the live namespace. Code of that namespace is followed function by function;
another local module counts as a whole, by its source; a distribution by its version; the standard library not at all.
"""

import builtins
import types
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from cloaca_nb.declare.code_reads import Chain, code_reads
from cloaca_nb.declare.code_text import CodeText, code_text, digest_text
from cloaca_nb.declare.modules import Modules
from cloaca_nb.declare.place import file_label
from cloaca_nb.declare.shapes import Shape, Shapes
from cloaca_nb.declare.task import task

__all__ = ["Part", "Reach", "Unit"]

_DYNAMIC: Final = {
    ("eval",): eval,
    ("exec",): exec,
    ("globals",): globals,
    ("__import__",): __import__,
}
_PRIVATE: Final = frozenset({"__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "_abc_impl"})
_TELLING: Final = frozenset({"__annotations__", "__slots__", "__dataclass_fields__", "__pydantic_fields__"})
_GENERATED: Final = frozenset({"_member_map_", "_value2member_map_", "_member_names_", "_unhashable_values_"})


class Part(NamedTuple):
    """One thing that a task's code is made of.

    Attributes:
        digest: 32 hexadecimal digits.
        where: the place of its definition; it is no part of the digest.
        shown: what a person is told of it: a number or a version; empty where that would be too much.
    """

    digest: str
    where: str = ""
    shown: str = ""


class Unit(NamedTuple):
    """A part under its name, what it leads to, and why it can't be tracked."""

    name: str
    part: Part
    leads_to: tuple[Any, ...] = ()  # functions, classes, modules and chains of names
    untracked: tuple[str, ...] = ()


class Reach:
    """What is reached from the functions of one namespace; made for one run, since values may change after it.

    Args:
        namespace: the globals of the tasks' functions.
        shapes: digests values.
        modules: knows local modules and distributions.
    """

    def __init__(self, namespace: dict[str, Any], shapes: Shapes, modules: Modules) -> None:
        self._namespace = namespace
        self._module = str(namespace.get("__name__", "__main__"))
        self._shapes = shapes
        self._modules = modules
        self._known: dict[Any, list[Unit]] = {}
        self._texts: dict[int, CodeText] = {}  # by the code's id: many tasks may share one
        self._kept: list[Any] = []  # an id is good as long as its object lives

    def units(self, start: Iterable[Any]) -> list[tuple[Any, Unit]]:
        """Return everything that is reached from `start`, each with what it was reached as."""
        waiting, seen, found = list(start), set(), []
        while waiting:
            one = waiting.pop()
            key = one if isinstance(one, tuple) else id(one)
            if key in seen:
                continue
            seen.add(key)
            for unit in self._units(key, one):
                found.append((one, unit))
                waiting += unit.leads_to
        return found

    def _units(self, key: Any, one: Any) -> list[Unit]:
        if key not in self._known:
            self._kept.append(one)
            self._known[key] = self._look_at(one)
        return self._known[key]

    def _look_at(self, one: Any) -> list[Unit]:
        match one:
            case tuple():
                return self._name(one)
            case types.FunctionType():
                return self._function(one)
            case type():
                return self._class(one)
            case types.ModuleType():
                return self._of_module(one.__name__)
            case _:
                raise AssertionError(f"{type(one)} leads nowhere")

    # -- modules

    def _of_module(self, name: str) -> list[Unit]:
        found = self._modules.found(name)
        return [Unit(part_name, Part(*part), (), reasons) for part_name, part, reasons in found]

    def _is_own(self, module: str) -> bool:
        return module == self._module or self._modules.is_live_only(module)

    # -- functions

    def _function(self, function: types.FunctionType) -> list[Unit]:
        module = str(function.__globals__.get("__name__", ""))
        name = _named(module, function.__code__.co_qualname, self._module)
        held = self._held(function, f"helper {name}")
        if not self._is_own(module):
            elsewhere = self._of_module(module)
            if held.held:
                elsewhere.append(Unit(f"settings of {name}", Part(held.digest), held.leads_to, held.untracked))
            return elsewhere
        text = self._text(function.__code__)
        written = [one.digest for one in text.decorators if not _is_task(one.chain, function.__globals__)]
        reads = code_reads(function.__code__)
        scope = self._shapes.scope(function.__globals__)
        chains = [(scope, *chain) for chain in reads.chains]
        part = Part(digest_text(text.digest, held.digest, *written), _where(function.__code__))
        reasons = (*held.untracked, *_dynamic(reads.chains, function.__globals__, name))
        return [Unit(f"helper {name}", part, (*chains, *held.leads_to), reasons), *self._imported(reads.imports)]

    def _text(self, code: types.CodeType) -> CodeText:
        if id(code) not in self._texts:
            self._texts[id(code)] = code_text(code)
        return self._texts[id(code)]

    def _held(self, function: types.FunctionType, owner: str) -> Shape:
        """Digest what a function object holds besides its code: defaults and what its closure took along."""
        closure = {}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                closure[name] = cell.cell_contents
            except ValueError:  # not bound yet
                continue
        wrapped = getattr(function, "__wrapped__", None)
        held = [function.__defaults__, function.__kwdefaults__, closure]
        if wrapped is not None and not self._is_own(str(function.__globals__.get("__name__", ""))):
            held = []  # a library's decorator: its own machinery; its arguments stand in the text that it decorates
        if wrapped is not None:
            held.append(wrapped)
        if isinstance(registry := getattr(function, "registry", None), types.MappingProxyType):
            held.append({f"{kind.__module__}.{kind.__qualname__}": one for kind, one in registry.items()})
        if not any(held):
            return Shape("", (), (), held=False)
        return self._shapes.of(held, owner, inside=function)

    def _imported(self, imports: Iterable[tuple[str, int, tuple[str, ...]]]) -> Iterable[Unit]:
        package = str(self._namespace.get("__package__") or "")
        for module in self._modules.names(imports, package):
            yield from self._of_module(module)

    # -- classes

    def _class(self, kind: type) -> list[Unit]:
        if not self._is_own(kind.__module__):
            return self._of_module(kind.__module__)
        name = _named(kind.__module__, kind.__qualname__, self._module)
        members = {key: one for key, one in sorted(vars(kind).items()) if _counts(key, one)}
        held: list[Any] = [list(kind.__bases__), type(kind), members]
        if "_member_map_" in vars(kind):
            held.append([(key, one.value) for key, one in vars(kind)["_member_map_"].items()])
        shape = self._shapes.of(held, f"class {name}", inside=kind)
        return [Unit(f"class {name}", Part(shape.digest), shape.leads_to, shape.untracked)]

    # -- names

    def _name(self, place: tuple[Any, ...]) -> list[Unit]:
        """Look up a name with the attributes that are asked of it, as far as these lead through modules."""
        scope, chain = place[0], place[1:]
        namespace = self._shapes.scopes[scope]
        name = chain[0]
        if name not in namespace:
            if hasattr(builtins, name):
                return []
            return [Unit(f"name {name}", Part(digest_text("undefined"), shown="undefined"))]
        value, known, before = namespace[name], [name], []
        for attribute in chain[1:]:
            if not isinstance(value, types.ModuleType) or not hasattr(value, attribute):
                break
            before.append(value)
            value = getattr(value, attribute)
            known.append(attribute)
        named = _named(str(namespace.get("__name__", "")), ".".join(known), self._module)
        modules = [unit for one in before for unit in self._of_module(one.__name__)]
        return [*modules, *self._value(named, value)]

    def _value(self, name: str, value: Any) -> list[Unit]:
        if isinstance(value, types.ModuleType):
            return [*self._alias(name, value.__name__), *self._of_module(value.__name__)]
        if isinstance(value, types.FunctionType | type):
            own = value.__code__.co_qualname if isinstance(value, types.FunctionType) else value.__qualname__
            shape = self._shapes.of(value, name)
            alias = Unit(f"name {name}", Part(shape.digest, shown=own), (value,), shape.untracked)
            return [alias]
        shape = self._shapes.of(value, f"constant {name}")
        if not shape.held:  # nothing but code of others: a C function
            return [Unit(f"name {name}", Part(shape.digest), shape.leads_to, shape.untracked)]
        part = Part(shape.digest, shown=_shown(value))
        return [Unit(f"constant {name}", part, shape.leads_to, shape.untracked)]

    def _alias(self, name: str, own: str) -> list[Unit]:
        return [Unit(f"name {name}", Part(digest_text("module", own), shown=own))]


def _named(module: str, name: str, own: str) -> str:
    shown = name.replace(".<locals>", "")
    return shown if module == own else f"{module}.{shown}"


def _where(code: types.CodeType) -> str:
    label = file_label(code.co_filename)
    return label if label.startswith("Cell ") else f"{label}:{code.co_firstlineno}"


def _is_task(chain: Chain, namespace: dict[str, Any]) -> bool:
    """Say whether a decorator is the one that makes tasks: its options are no code of the task."""
    if not chain:
        return False
    value = namespace.get(chain[0])
    for name in chain[1:]:
        value = getattr(value, name, None)
    return value is task or (value is None and chain[-1] == "task")


def _dynamic(chains: Iterable[Chain], namespace: dict[str, Any], name: str) -> Iterable[str]:
    for chain in chains:
        if chain in _DYNAMIC and namespace.get(chain[0], _DYNAMIC[chain]) is _DYNAMIC[chain]:
            yield f"{name} calls {chain[0]}(), and what that reaches can't be seen"
        elif chain[-1] == "import_module":
            yield f"{name} calls {'.'.join(chain)}(), and which module that is can't be seen"


def _counts(name: str, member: Any) -> bool:
    """Say whether a member of a class is part of what was written, and not made from that."""
    if name in _PRIVATE or name in _GENERATED:
        return False
    if isinstance(member, types.FunctionType):
        return member.__code__.co_filename != "<string>"  # a dataclass makes methods from its fields
    if isinstance(member, types.GetSetDescriptorType | types.MemberDescriptorType):
        return False
    special = name.startswith("__") and name.endswith("__")
    return not special or name in _TELLING or callable(member) or isinstance(member, classmethod | staticmethod)


def _shown(value: Any) -> str:
    """Return what a difference may say of a constant: numbers alone, since texts may be secrets."""
    return repr(value) if type(value) in (int, float, bool, type(None)) and len(repr(value)) < 24 else ""  # noqa: PLR2004
