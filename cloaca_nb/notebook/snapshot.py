"""A workflow that keeps what it uses of a notebook as it is now, whatever cells are executed while it runs."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any

from cloaca_nb.core.graph import Workflow
from cloaca_nb.notebook.cached_copy import CachedCopy
from cloaca_nb.notebook.own_code import CACHED, MODULE, OwnCode, held_functions

__all__ = ["frozen"]


def frozen(workflow: Workflow, names: dict[str, Any], copies: dict[int, CachedCopy] | None = None) -> Workflow:
    """Return the workflow with functions that see a copy of the notebook's names.

    So do the functions among those names, what they hold in their closures, defaults and decorators, `partial`s of
    them, and cached functions. What a cached function has computed stays from one run to the next, until it is defined
    again, or something that it uses is; one that uses nothing of the notebook but imports is the notebook's own, with
    what that has computed. Not kept are:

    - Values: a list that a cell changes in place is changed for the run.
    - What methods of classes see: the run keeps the class, but a copy of it would be another class, to which the
      instances that there are do not belong. So constants and functions that a method names are the notebook's.
    - Functions within values and in objects of libraries: in a dict of functions, of `functools.singledispatch`.

    `LiveNames` tells which of what is not kept was edited.

    Args:
        workflow: any workflow.
        names: the notebook's own names.
        copies: those of cached functions that were made for the run before; takes those of this one.
    """
    snapshot = _Snapshot(names, copies or {})
    made = workflow.changed(
        lambda task: replace(
            task,
            function=snapshot.moved(task.function),
            on_success=snapshot.moved(task.on_success),
            on_failure=snapshot.moved(task.on_failure),
        )
    )
    if copies is not None:
        copies.clear()
        copies.update(snapshot.copies)
    return made


class _Snapshot:
    """The names of a notebook at one moment, and its functions with these names as their globals.

    Attributes:
        copies: of its cached functions, by the ids of these.
    """

    def __init__(self, names: dict[str, Any], before: Mapping[int, CachedCopy]) -> None:
        self.copies: dict[int, CachedCopy] = {}
        self._before = before
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
        if type(value) is CACHED:
            return self._cached(value)
        return self._function(value) if isinstance(value, FunctionType) else self._partial(value)

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

    def _partial(self, value: "partial[Any]") -> Any:
        made = partial(self.moved(value.func), *map(self.moved, value.args), **self._all(value.keywords))
        made.__dict__.update(value.__dict__)
        return self._moved.setdefault(id(value), made)

    def _cached(self, value: Any) -> Any:
        sees = {name: self._live[name] for _, taken in self._code.reached(value) for name in taken}
        if all(map(_is_imported, sees.values())):
            return value  # no cell edits what it sees
        before = self._before.get(id(value))
        copy = before if before is not None and before.is_of(value, sees) else CachedCopy(value, sees)
        self.copies[id(value)] = copy
        self._moved[id(value)] = copy.function  # before what it holds, which may lead back to it
        copy.use(self.moved(value.__wrapped__), self._all(vars(value)))
        return copy.function

    @cached_property
    def _code(self) -> OwnCode:
        return OwnCode(self._live, self._live)

    def _all(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.moved(value) for name, value in values.items()}


def _is_imported(value: Any) -> bool:
    if isinstance(value, type | FunctionType | BuiltinFunctionType):
        return value.__module__ != MODULE
    return isinstance(value, ModuleType)
