"""Which code holds a secret, told by the names in it: what its digest is made of could be guessed from that."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, Final

from cloaca_nb.core.mask import masked
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.declare.code_text import nested_codes
from cloaca_nb.declare.held import closure

__all__ = ["function_holds_secret", "holds_secret", "is_secret", "source_holds_secret"]

_KEYS: Final = SecretKeys()
_is_key: Final = lru_cache(4096)(_KEYS.__contains__)
_LONGEST: Final = 80  # characters of what may be a name


def is_secret(name: str) -> bool:
    """Say whether a name, dotted perhaps, is one of a secret."""
    return name.rpartition(".")[2] in _KEYS


def holds_secret(values: Mapping[str, Any]) -> bool:
    """Say whether a value is secret by its name, or holds one that is, as settings do."""
    return masked(values, _KEYS) is not values


def function_holds_secret(function: FunctionType) -> bool:
    """Say whether a function names a secret that its text, its defaults or its closure may hold."""
    codes = (function.__code__, *nested_codes(function.__code__))
    return holds_secret(closure(function)) or any(_is_among(_names_in(code)) for code in codes)


def source_holds_secret(tree: ast.AST) -> bool:
    """Say whether a module names a secret that it may hold."""
    return _is_among(name for node in ast.walk(tree) for name in _names_of(node))


def _names_in(code: CodeType) -> Iterator[Any]:
    """Yield the variables, the keys and the keywords of a code, if there is a text that one of them may be given."""
    texts = [one for one in code.co_consts if isinstance(one, str | bytes)]
    parameters = code.co_argcount + code.co_kwonlyargcount
    if texts or parameters:
        yield from code.co_varnames
        yield from texts
        yield from (name for one in code.co_consts if isinstance(one, tuple) for name in one)


def _names_of(node: ast.AST) -> Iterator[Any]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.keyword(arg=name):
            yield name
        case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Constant(value=str() as name):
            yield name


def _is_among(names: Iterable[Any]) -> bool:
    return any(_is_key(name) for name in {one for one in names if isinstance(one, str) and len(one) <= _LONGEST})
