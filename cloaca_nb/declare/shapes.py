"""The digest of a value that may hold code: functions and classes in it count by name, and are followed elsewhere."""

import sys
import types
from collections.abc import Callable
from dataclasses import MISSING
from typing import Any, Final, NamedTuple

from cloaca_nb.declare.code_text import digest_text
from cloaca_nb.declare.contents import (
    DICTS,
    LIVE,
    PLAIN,
    SEQUENCES,
    SETS,
    attributes_of,
    code_in,
    content_of,
    inside,
    parts_of,
    stream_of,
)
from cloaca_nb.declare.library_methods import offered_by
from cloaca_nb.declare.random_generators import is_random_generator, state_when_met
from cloaca_nb.declare.unseen import unseen

__all__ = ["Shape", "Shapes"]

_MOST: Final = 200_000  # objects that are looked at in one value: a kernel leads to all that there is
_METHODS: Final = (types.MethodDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType)


class Shape(NamedTuple):
    """What a value comes to.

    Attributes:
        digest: 32 hexadecimal digits.
        leads_to: the functions, classes and modules in it, which count by their names here.
        untracked: what of it can't be digested, as sentences.
        held: whether it holds data, and is not code alone.
    """

    digest: str
    leads_to: tuple[Any, ...]
    untracked: tuple[str, ...]
    held: bool = True


class Shapes:
    """Digests values for one run; a value that is met again is digested once.

    Args:
        digest: of a value without code in it; None if it has none, as an open file hasn't.
    """

    def __init__(self, digest: Callable[[Any], str | None]) -> None:
        self._digest = digest
        self._leaves: dict[int, tuple[Any, str | None]] = {}

    def of(self, value: Any, owner: str, *, inside: Any = None) -> Shape:
        """Return what a value comes to.

        Args:
            value: any.
            owner: whom a sentence about it names: "constant lock".
            inside: the function or class whose value it is, which may lead back to itself.
        """
        walk = _Walk(self, owner)
        try:
            text = walk.text(value)
        except _TooLargeError:
            walk.untracked.append(f"{owner} is a {type(value).__qualname__} that leads to too much to look through")
            text = "too large"
        others = [one for one in walk.leads_to if one is not inside]
        return Shape(digest_text(text), tuple(others), tuple(dict.fromkeys(walk.untracked)), held=walk.held)

    def leaf(self, value: Any) -> str | None:
        """Return the digest of a value without code in it; None if it has none."""
        if id(value) not in self._leaves:
            self._leaves[id(value)] = value, self._digest(value)  # kept, so that no other gets its id
        return self._leaves[id(value)][1]

    def state(self, generator: Any) -> str:
        """Return what a generator of random numbers counts by."""
        return state_when_met(generator, self._digest)


class _TooLargeError(Exception):
    """A value leads to more objects than anybody would wait for."""


class _Walk:
    """One walk through a value, which notes the code that it finds."""

    def __init__(self, shapes: Shapes, owner: str) -> None:
        self._shapes = shapes
        self._owner = owner
        self._open: dict[int, int] = {}
        self.leads_to: list[Any] = []
        self.untracked: list[str] = []
        self.held = False
        self._left = _MOST

    def text(self, value: Any) -> str:
        """Return a text that is equal for equal values."""
        self._look()
        if type(value) in PLAIN or value is MISSING:
            return self._leaf(value)
        if id(value) in self._open:
            return f"^{self._open[id(value)]}"
        self._open[id(value)] = len(self._open)
        found = self._opened(value)
        del self._open[id(value)]
        return found

    def _look(self) -> None:
        self._left -= 1
        if not self._left:
            raise _TooLargeError

    def _opened(self, value: Any) -> str:  # noqa: PLR0911 - one for each kind
        match value:
            case types.FunctionType():
                return self._function(value)
            case type():
                self.leads_to.append(value)
                return f"class {value.__module__}.{value.__qualname__}"
            case types.ModuleType():
                self.leads_to.append(value)
                return f"module {value.__name__}"
            case types.BuiltinFunctionType() | types.MethodType() if module := offered_by(value):
                self.leads_to += [type(value.__self__), sys.modules[module]]
                return f"method {module}.{value.__name__} of {type(value.__self__).__qualname__}"
            case types.BuiltinFunctionType():
                return self._builtin(value)
            case _ if stream := stream_of(value):
                return f"stream {stream}"
            case _ if is_random_generator(value):
                return self._random_generator(value)
            case _ if isinstance(value, _METHODS):
                return f"method {value.__qualname__}"
            case _ if (parts := parts_of(value)) is not None:
                return f"{type(value).__name__}({','.join(map(self.text, parts))})"
            case _:
                return self._data(value)

    def _function(self, function: types.FunctionType) -> str:
        """Name a function; what its defaults and closure hold tells it from others of its name."""
        self.leads_to.append(function)
        self._note_unseen(function)
        name = f"function {function.__globals__.get('__name__')}.{function.__code__.co_qualname}"
        if (wrapped := getattr(function, "__wrapped__", None)) is not None:
            return f"{name}({self.text(wrapped)})"
        cells = [content_of(cell) for cell in function.__closure__ or ()]
        held = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *cells]
        return f"{name}({','.join(map(self.text, held))})" if held else name

    def _builtin(self, function: types.BuiltinFunctionType) -> str:
        owner = function.__self__
        self._note_unseen(function)
        if owner is not None and not isinstance(owner, types.ModuleType):
            return f"builtin {function.__qualname__} of {self.text(owner)}"
        module = function.__module__ or getattr(owner, "__name__", "")
        if module == "__main__":
            self.untracked.append(f"{self._owner} is compiled code without a module, so a change of it can't be seen")
        elif isinstance(owner, types.ModuleType):
            self.leads_to.append(owner)
        return f"builtin {module}.{function.__qualname__}"

    def _random_generator(self, value: Any) -> str:
        self.held = True
        kind = type(value)
        self.leads_to.append(kind)
        return f"random generator {kind.__module__}.{kind.__qualname__} {self._shapes.state(value)}"

    def _note_unseen(self, function: Any) -> None:
        if shown := unseen(function):
            self.untracked.append(f"{self._owner} holds {shown}, which may reach code that can't be seen")

    def _data(self, value: Any) -> str:
        kind = type(value)
        if isinstance(value, LIVE):
            return self._live(value)
        found = list(code_in(value, self._look))
        self.leads_to += [one for one in found if isinstance(one, type)]
        if all(isinstance(one, type) for one in found):
            return self._leaf(value)
        self.held = True
        if isinstance(value, DICTS):
            pairs = [
                f"{self.text(key)}:{self.text(one)}" for key, one in list(value.items())
            ]  # a task may change it now
            return f"dict {{{','.join(pairs)}}}"
        if isinstance(value, SEQUENCES):
            return f"{kind.__name__} [{','.join(map(self.text, value))}]"
        if isinstance(value, SETS):
            return f"{kind.__name__} {sorted(map(self.text, list(value)))}"
        attributes = sorted(attributes_of(value), key=lambda one: one[0])
        shown = ",".join(f"{name}={self.text(one)}" for name, one in attributes)
        return f"{kind.__module__}.{kind.__qualname__}({shown})"

    def _leaf(self, value: Any) -> str:
        self.held = True
        if value is MISSING:
            return "missing"
        digest = self._shapes.leaf(value)
        if digest is None:
            return self._live(value)
        return f"{type(value).__qualname__} {digest}"

    def _culprit(self, value: Any) -> Any:
        """Return the innermost object in a value that has no digest."""
        seen: set[int] = set()
        while id(value) not in seen and not isinstance(value, LIVE):
            seen.add(id(value))
            value = next((one for one in inside(value) if self._shapes.leaf(one) is None), value)
        return value

    def _live(self, value: Any) -> str:
        self.held = True
        kind = type(self._culprit(value)).__qualname__
        self.untracked.append(f"{self._owner} holds a live object ({kind}), which has no digest")
        return f"live {kind}"
