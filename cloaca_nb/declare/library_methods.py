"""Methods that a library offers as its functions: `random.random` is one of a generator that nobody else sees.

What that object holds is the library's affair, as the globals of its modules are: it differs from process to process,
and no code of the user's has written it.
"""

import sys
import types
from collections.abc import Iterator

from cloaca_nb.declare.origin import origin_of

__all__ = ["offered_by"]


def offered_by(method: types.MethodType | types.BuiltinFunctionType) -> str:
    """Return the name of the module of a library that has a bound method among its globals; empty if none has.

    Args:
        method: bound to an object of any class; a method of a user's object is no library's, wherever somebody put it.
    """
    owner = method.__self__
    if owner is None or isinstance(owner, types.ModuleType | type):
        return ""
    home = type(owner).__module__
    found = set(_modules_with(method))
    if not found or not _is_library(home):
        return ""
    return home if home in found else min(filter(_is_library, found), default="")


def _modules_with(method: types.MethodType | types.BuiltinFunctionType) -> Iterator[str]:
    name = getattr(method, "__name__", "")
    for module, one in list(sys.modules.items()):
        # as a plain object: to be asked for anything else loads a lazy module
        if isinstance(one, types.ModuleType) and object.__getattribute__(one, "__dict__").get(name) is method:
            yield module


def _is_library(module: str) -> bool:
    return origin_of(module).kind in ("standard", "distribution")
