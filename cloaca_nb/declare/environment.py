"""The environment variables that code reads: those that it names count, one by one; all of them where it names none.

A name is a text of the function: one of capitals, or one that is set just now. A variable that isn't set is no part.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from cloaca_nb.declare.code_reads import Chain
from cloaca_nb.declare.code_text import digest_text, nested_codes
from cloaca_nb.declare.known_code import Part, Unit
from cloaca_nb.declare.secrecy import is_secret
from cloaca_nb.declare.variables import PREFIX, var, var_or

__all__ = ["variables_read"]

# By what variables are read, and what stands before their names.
_READERS: Final[tuple[tuple[Any, str], ...]] = ((os.environ, ""), (os.getenv, ""), (var, PREFIX), (var_or, PREFIX))
_PREFIXES: Final = {id(reader): prefix for reader, prefix in _READERS}  # they live as long as the process


def variables_read(function: FunctionType, chains: Iterable[Chain]) -> tuple[Unit, ...] | None:
    """Return what the variables that a function reads come to; None: it reads none.

    Args:
        function: who may read some.
        chains: the names that it reads.
    """
    found = {id(value) for chain in chains for value in _values(function.__globals__, chain)}
    prefixes = [prefix for reader, prefix in _PREFIXES.items() if reader in found]
    if not prefixes:
        return None
    named = {prefix + text for prefix in prefixes for text in _texts(function.__code__) if _is_name(prefix, text)}
    if not named:
        return (Unit("environment", Part(digest_text(*(f"{name}={os.environ[name]}" for name in sorted(os.environ))))),)
    there = {name: os.environ[name] for name in sorted(named) if name in os.environ}
    return tuple(_unit(name, value) for name, value in there.items())


def _unit(name: str, value: str) -> Unit:
    return Unit(f"environment variable {name}", Part(digest_text(value), secret=is_secret(name)))


def _values(namespace: Mapping[str, Any], chain: Chain) -> Iterator[Any]:
    """Yield what a name stands for, and what is asked of it where it is a module."""
    yield (value := namespace.get(chain[0]))
    for attribute in chain[1:]:
        if not isinstance(value, ModuleType):
            return
        yield (value := getattr(value, attribute, None))


def _texts(code: CodeType) -> Iterator[str]:
    for one in (code, *nested_codes(code)):
        for constant in one.co_consts:
            several = constant if isinstance(constant, tuple | frozenset) else (constant,)
            yield from (text for text in several if isinstance(text, str))


def _is_name(prefix: str, text: str) -> bool:
    return text.isidentifier() and (text.isupper() or prefix + text in os.environ)
