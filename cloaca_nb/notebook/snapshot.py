"""A workflow that keeps what it uses of a notebook as it is now, whatever cells are executed while it runs."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from types import CellType, FunctionType
from typing import Any, Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.notebook.own_code import held_functions

__all__ = ["frozen"]

CACHED: Final = type(lru_cache(len))


def frozen(workflow: Workflow, names: dict[str, Any]) -> Workflow:
    """Return the workflow with functions that see a copy of the notebook's names.

    So do the functions among those names, what they hold in their closures, defaults and decorators, `partial`s of
    them, and cached functions, each with a cache of its own. Not kept are:

    - Values: a list that a cell changes in place is changed for the run.
    - What methods of classes see: the run keeps the class, but a copy of it would be another class, to which the
      instances that there are do not belong. So constants and functions that a method names are the notebook's.
    - Functions within values and in objects of libraries: in a dict of functions, of `functools.singledispatch`.

    Args:
        workflow: any workflow.
        names: the notebook's own names.
    """
    snapshot = _Snapshot(names)
    return workflow.changed(
        lambda task: replace(
            task,
            function=snapshot.moved(task.function),
            on_success=snapshot.moved(task.on_success),
            on_failure=snapshot.moved(task.on_failure),
        )
    )


class _Snapshot:
    """The names of a notebook at one moment, and its functions with these names as their globals."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._live = names
        self._moved: dict[int, Any] = {}  # by the id of the original, which the copied names or the workflow keep
        self._cells: dict[int, CellType] = {}  # functions that share a variable go on sharing it
        self._names = dict(names)
        self._names.update({name: self.moved(value) for name, value in names.items()})

    def moved(self, value: Any) -> Any:
        """Return what stands for a value of the notebook: a copy if it is a function, else the value itself."""
        if id(value) in self._moved:
            return self._moved[id(value)]
        if not isinstance(value, FunctionType) and type(value) not in (partial, CACHED):
            return value
        if not any(held_functions(value, self._live)):  # a library's
            return value
        if isinstance(value, FunctionType):
            return self._function(value)
        made = self._partial(value) if type(value) is partial else self._cached(value)
        return self._moved.setdefault(id(value), made)

    def _function(self, function: FunctionType) -> FunctionType:
        names = self._names if function.__globals__ is self._live else function.__globals__
        cells = tuple(self._cell(one) for one in function.__closure__ or ())
        made = FunctionType(function.__code__, names, function.__name__, None, cells)
        self._moved[id(function)] = made  # before what it holds, which may lead back to it
        made.__defaults__ = tuple(map(self.moved, function.__defaults__)) if function.__defaults__ else None
        made.__kwdefaults__ = self._all(function.__kwdefaults__) if function.__kwdefaults__ else None
        made.__annotations__ = function.__annotations__
        made.__dict__.update(self._all(function.__dict__))
        made.__doc__, made.__qualname__, made.__module__ = function.__doc__, function.__qualname__, function.__module__
        for old, new in zip(function.__closure__ or (), cells, strict=True):
            if new is not old:
                new.cell_contents = self.moved(old.cell_contents)
        return made

    def _cell(self, cell: CellType) -> CellType:
        """Return an empty cell for one that holds a function of the notebook; any other as it is, with its state."""
        try:
            held = cell.cell_contents
        except ValueError:  # not bound yet
            return cell
        is_code = isinstance(held, FunctionType) or type(held) in (partial, CACHED)
        return (
            self._cells.setdefault(id(cell), CellType()) if is_code and any(held_functions(held, self._live)) else cell
        )

    def _partial(self, value: "partial[Any]") -> "partial[Any]":
        made = partial(self.moved(value.func), *map(self.moved, value.args), **self._all(value.keywords))
        made.__dict__.update(value.__dict__)
        return made

    def _cached(self, value: Any) -> Any:
        made = lru_cache(**value.cache_parameters())(self.moved(value.__wrapped__))
        vars(made).update({name: one for name, one in vars(value).items() if name not in vars(made)})
        return made

    def _all(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.moved(value) for name, value in values.items()}
