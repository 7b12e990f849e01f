"""What a library's decorator was told, of all that its wrapper holds: how often to try again, but not its locks.

Frozen values and code count, also as attributes of the library's objects; lists, dicts and sets don't: the library may
fill them while it works. The text of the decorator counts elsewhere.
"""

import functools
import sys
import types
from collections.abc import Mapping
from typing import Any, Final

from cloaca_nb.declare.watch import is_frozen

__all__ = ["library_settings"]

_CODE: Final = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type)
_DEEPEST: Final = 8


def library_settings(held: list[Any]) -> list[Any]:
    """Return the settings in what a function holds: its defaults, its keyword defaults, its closure.

    Args:
        held: tuples, dicts and None, whose items are looked at.
    """
    return [_settings(one, ()) for one in held]


def _settings(value: Any, above: tuple[int, ...]) -> Any:  # noqa: PLR0911 - one for each kind
    if id(value) in above or len(above) > _DEEPEST:
        return "..."
    above = (*above, id(value))
    match value:
        case _ if is_frozen(value) or isinstance(value, _CODE):
            return value
        case dict() if len(above) == 1:
            return {name: _settings(one, above) for name, one in value.items()}
        case tuple():
            return tuple(_settings(one, above) for one in value)
        case functools.partial():
            keywords = {name: _settings(one, above) for name, one in value.keywords.items()}
            return [_settings(value.func, above), [_settings(one, above) for one in value.args], keywords]
        case types.MethodType():
            return [value.__func__, _settings(value.__self__, above)]
        case list() | set() | dict() | Mapping():
            return "..."
        case _:
            return _attributes(value, above)


def _attributes(value: Any, above: tuple[int, ...]) -> Any:
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.partition(".")[0] in sys.stdlib_module_names:
        return name
    return [name, {key: _settings(one, above) for key, one in sorted(dict(getattr(value, "__dict__", {})).items())}]
