"""What answers a keyword that there isn't: with the near miss, as Python itself does from 3.13 on."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from cloaca_nb.errors import near_miss

__all__ = ["suggesting"]

Function = TypeVar("Function", bound=Callable[..., Any])


def suggesting(function: Function) -> Function:
    """Have a function name the near miss of a keyword that it doesn't take.

    >>> @suggesting
    ... def task(*, dependencies=None): ...
    >>> task(dependecies=["load"])
    Traceback (most recent call last):
    TypeError: task() got an unexpected keyword argument 'dependecies'. Did you mean 'dependencies'?
    """
    if sys.version_info >= (3, 13):
        return function
    code = function.__code__
    known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @wraps(function)
    def checked(*arguments: Any, **options: Any) -> Any:
        wrong = next((name for name in options if name not in known), None)
        if wrong is not None:
            hint = near_miss(wrong, known)
            raise TypeError(
                f"{function.__qualname__}() got an unexpected keyword argument {wrong!r}{hint and '.'}{hint}"
            )
        return function(*arguments, **options)

    return checked  # type: ignore[return-value]  # it takes and gives the same
