"""Generators of random numbers that a task's code reaches: how one counts, whatever was drawn from it since.

A generator is made to change with each draw, so its state as such would make every task that draws run again. What its
author wrote is the seed. The rule:

- A generator counts by the state in which the first run of this process found it when that run began, for as long as
  the object lives. Draws don't count from then on, by tasks as little as by cells. Who executes `rng = Random(3)` again
  makes another object in the same state, here and in any other process: nothing has changed. With another seed
  something has. One without a seed starts from another state in each process.
- A library's own generator, from which `random.random`, `np.random.normal` and all of `scipy.stats` draw, counts by its
  name: nobody's code has made it. One that asks the operating system (`random.SystemRandom`) has no state to count.

Not seen: another seed for the same object (`rng.seed(4)`, a state that is put back): that is as a draw is.
"""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from random import SystemRandom
from types import FunctionType
from typing import Any, Final
from weakref import ref

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.held import closure

__all__ = ["is_random_generator", "meet_generators", "state_when_met"]

_KINDS: Final = frozenset(
    {
        ("random", "Random"),
        ("numpy.random._generator", "Generator"),
        ("numpy.random.mtrand", "RandomState"),
        ("numpy.random.bit_generator", "BitGenerator"),
    }
)
_OF_LIBRARIES: Final = (
    ("random", "_inst"),
    ("numpy.random.mtrand", "_rand"),
    ("numpy.random.mtrand", "_bit_generator"),
)
_MOST: Final = 1_000  # states that are known; of a generator met longer ago, its state counts as of now
_met: Final[dict[int, tuple[Callable[[], Any], str]]] = {}  # by id, with what gives the generator while it lives
_meeting: Final = threading.Lock()


def is_random_generator(value: Any) -> bool:
    """Return whether a value is a generator of random numbers, of the standard library's or numpy's."""
    return _is_kind(type(value))


def state_when_met(generator: Any, digest: Callable[[Any], str | None]) -> str:
    """Return a text for the state in which a generator was first met in this process.

    Args:
        generator: of one of the known types.
        digest: of a value, None if it has none.
    """
    if isinstance(generator, SystemRandom):
        return "of the system"
    if name := next((name for name in _OF_LIBRARIES if _global(*name) is generator), None):
        return ".".join(name)
    with _meeting:
        known = _met.get(id(generator))
        if known is None or known[0]() is not generator:
            known = _met[id(generator)] = _reference(generator), digest(generator) or ""
            while len(_met) > _MOST:
                del _met[next(iter(_met))]
    return known[1]


def _reference(generator: Any) -> Callable[[], Any]:
    try:
        return ref(generator)
    except TypeError:  # one of numpy's
        return lambda: generator


def meet_generators(workflow: Workflow, digest: Callable[[Any], str | None]) -> None:
    """Take note of the generators that a workflow's tasks are about to draw from.

    Of those that its functions find by name, in their closures or as defaults, and that objects of their own module
    hold. Others are met when the run is recorded.

    Args:
        workflow: whose run is about to begin.
        digest: see `state_when_met`.
    """
    seen: set[int] = set()
    for task in workflow.tasks:
        function = task.function
        if type(function) is not FunctionType:
            continue
        if function.__closure__ or function.__defaults__:
            _meet((*closure(function).values(), *(function.__defaults__ or ())), digest)
        if id(function.__globals__) not in seen:
            seen.add(id(function.__globals__))
            _meet(_found_in(function.__globals__), digest)


def _meet(values: Iterable[Any], digest: Callable[[Any], str | None]) -> None:
    for value in values:
        if _is_kind(type(value)):
            state_when_met(value, digest)


def _found_in(module: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values of a module, and what its own classes and their instances hold; none of their code is called."""
    name, values = module.get("__name__"), list(module.values())
    kinds = {kind for kind in set(map(type, values)) if _is_kind(kind) or _is_own(kind, name)}  # few, of many values
    for value in values if kinds else ():
        if type(value) in kinds:
            yield value
            if (value if issubclass(type(value), type) else type(value)).__module__ == name:
                yield from list(_attributes(value).values())


def _is_own(kind: type, module: Any) -> bool:
    return issubclass(kind, type) or kind.__module__ == module


def _attributes(value: Any) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = (
            vars(value) if issubclass(type(value), type) else object.__getattribute__(value, "__dict__")
        )
    except AttributeError:  # it has slots
        return {}
    return found


def _global(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def _find_whether_kind(kind: type) -> bool:
    return any((base.__module__, base.__qualname__) in _KINDS for base in kind.__mro__)


_is_kind: Final[Callable[[type], bool]] = lru_cache(4096)(_find_whether_kind)
