"""The context: the values that travel along the edges of a workflow, and what one task changed of them."""

import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from cloaca_nb.core.mask import masked
from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.preview import preview
from cloaca_nb.core.scope import Scope
from cloaca_nb.errors import ContextKeyError, DuplicateKeyError, near_miss

if TYPE_CHECKING:
    from cloaca_nb.core.conflict import Conflict

__all__ = ["ALL_KEYS", "DELETED", "MISSING", "Context"]

EMPTY: Final = Scope()
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
ALL_KEYS: Final = "*"  # stands for the question which keys there are


def _as_it_is(value: Any) -> Any:
    return value


class Lineage(Protocol):
    """Where a task's scope comes from; see `core.lineage`."""

    def scope(self, task_id: str) -> Scope:
        """Return what a task inherits; its dependencies are over."""

    def setter(self, key: str, task_id: str) -> str:
        """Say which other task sets a key that a task has asked for in vain, or one of such a name; else nothing."""


class Context(MutableMapping[str, Any]):
    """Named values that a workflow starts from, that its tasks read and set, and that it ends with.

    A mapping, with the methods of the reference API besides. In a task it shows what the task inherits, and keeps what
    the task sets or deletes: no other task ever sees a change that was made in place.

    Args:
        data: the values to start with.

    Raises:
        TypeError: if `data` is no dict.

    >>> context = Context({"year": 2013})
    >>> context["month"] = 1
    >>> dict(context)
    {'year': 2013, 'month': 1}
    """

    __slots__ = ("_asked", "_inherited", "_isolate", "_lineage", "_read", "_shown", "_task_id", "changes", "conflicts")

    _lineage: Lineage
    _task_id: str
    _shown: Callable[[Mapping[str, Any]], Mapping[str, Any]]  # set only where a run says what is secret

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        if data is not None and not isinstance(data, Mapping):
            raise TypeError(f"Context takes a dict of values, not {type(data).__name__}: Context({{'key': value}}).")
        self.changes: dict[str, Any] = {}  # what was set since it was made; a deleted key maps to DELETED
        self._read: dict[str, Any] = {}
        self._asked: set[str] | None = None
        self._inherited: Scope | None = EMPTY
        self._isolate: Callable[[Any], Any] = _as_it_is
        self.conflicts: tuple[Conflict, ...] = ()  # the choices that were read
        for key, value in (data or {}).items():
            self[key] = value

    @classmethod
    def of(
        cls,
        scope: Scope,
        isolate: Callable[[Any], Any],
        *,
        shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = masked,
    ) -> "Context":
        """Make a context that inherits `scope`.

        Args:
            scope: what it inherits.
            isolate: gives it its own copy of what it reads.
            shown: hides secrets among values that are shown.
        """
        context = cls()
        context._inherited = scope
        context._isolate = isolate
        context._shown = shown
        return context

    @classmethod
    def in_run(cls, lineage: Lineage, task_id: str, isolate: Callable[[Any], Any]) -> "Context":
        """Make the context of a task; what it inherits is looked for when it first asks."""
        context = cls.__new__(cls)  # thousands of tasks: nothing of __init__ is needed here
        context.changes = {}
        context._read = {}
        context._asked = None
        context._inherited = None
        context._lineage = lineage
        context._task_id = task_id
        context._isolate = isolate
        context.conflicts = ()
        return context

    @property
    def _scope(self) -> Scope:
        if self._inherited is None:
            self._inherited = self._lineage.scope(self._task_id)
        return self._inherited

    # -- for a body in another process

    @property
    def keys_read(self) -> tuple[str, ...]:
        """The keys that were asked for, whether they were there or not; ALL_KEYS if it was asked which there are."""
        return (*self._read, *(self._asked or ()))

    def reads(self) -> Mapping[str, Any]:
        """Return what was inherited under the keys that were asked for, MISSING where there was nothing."""
        if not self._read and self._asked is None:
            return NOTHING
        return {key: self.inherited_value(key) for key in self.keys_read}

    def inherited_value(self, key: str) -> Any:
        """Return what is inherited under a key, as it is; MISSING if nothing is; for ALL_KEYS the names of all."""
        if key == ALL_KEYS:
            return self._scope.keys()
        entry = self._scope.find(key)
        return MISSING if entry is None else entry.value

    def inherited(self) -> dict[str, Any]:
        """Return every inherited value as it is, no copy, and without taking note that it was read."""
        return {key: entry.value for key, entry in self._scope.entries().items()}

    def unset_copies(self) -> list[tuple[str, Any, Any]]:
        """Return for each key that was read and not set the inherited value, and the copy of it that was given out."""
        if not self._read:
            return []
        found = []
        for key, copy in list(self._read.items()):  # a thread that the body left behind may go on reading
            if key not in self.changes and (original := self.inherited_value(key)) is not copy:
                found.append((key, original, copy))
        return found

    def take_over(self, keys_read: Iterable[str], changes: Mapping[str, Any]) -> None:
        """Take in what another context, made of the same values, was read for and changed by."""
        for key in keys_read:
            self._ask(key)
            if (entry := self._scope.find(key)) is not None and entry.conflict is not None:
                self.conflicts += (entry.conflict,)
        self.changes.update(changes)

    # -- the mapping

    def __getitem__(self, key: str) -> Any:
        value = self._value(key)
        if value is MISSING:
            raise self._absent(key)
        return value

    def _value(self, key: str) -> Any:
        """Return the value of a key, MISSING if there is none."""
        if key in self.changes:
            value = self.changes[key]
            return MISSING if value is DELETED else value
        if key in self._read:
            return self._read[key]
        entry = self._scope.find(key)
        if entry is None:
            self._ask(key)
            return MISSING
        if entry.conflict is not None:
            self.conflicts += (entry.conflict,)
        value = self._read[key] = self._isolate(entry.value)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"A context key is a str, not {type(key).__name__}: {key!r}.")
        self.changes[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise self._absent(key)
        if self._scope.find(key) is None:
            del self.changes[key]
        else:
            self.changes[key] = DELETED

    def __contains__(self, key: object) -> bool:
        if key in self.changes:
            return self.changes[key] is not DELETED
        if not isinstance(key, str):
            return False
        if key not in self._read:
            self._ask(key)
        return self._scope.find(key) is not None

    def __iter__(self) -> Iterator[str]:
        self._ask(ALL_KEYS)
        return iter(self._names())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Context | dict):
            return self.data == dict(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # mutable, as a dict is

    # -- the reference API

    def set(self, key: str, value: Any) -> None:
        """Set `key`, whether it is there or not."""
        self[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` if it isn't there; a stored None is a value."""
        value = self._value(key)
        return default if value is MISSING else value

    def insert(self, key: str, value: Any) -> None:
        """Set `key` that isn't there yet.

        Raises:
            DuplicateKeyError: a ValueError, if it is.
        """
        if key in self:
            raise DuplicateKeyError(f"Key {key!r} is in the context already; use update() or set() to replace it.")
        self[key] = value

    def update(self, key: str, value: Any) -> None:  # type: ignore[override]  # the reference API's, not dict's
        """Replace the value of `key`.

        Raises:
            ContextKeyError: a KeyError, if there is no such key.
        """
        if key not in self:
            raise self._absent(key)
        self[key] = value

    def delete(self, key: str) -> None:
        """Delete `key` if it is there."""
        if key in self:
            del self[key]

    def remove(self, key: str) -> Any:
        """Delete `key` and return its value, or None if it wasn't there."""
        return self.pop(key, None)

    @property
    def data(self) -> dict[str, Any]:
        """A dict of all values as they are now."""
        return {key: self[key] for key in self}

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of all values as they are now."""
        return self.data

    def copy(self) -> "Context":
        """Return a context of its own with the same values."""
        return Context(self.data)

    def update_from_dict(self, data: Mapping[str, Any]) -> None:
        """Set every key of `data`.

        Raises:
            TypeError: if `data` is no dict.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"update_from_dict takes a dict, not {type(data).__name__}.")
        for key, value in data.items():
            self[key] = value

    def to_json(self) -> str:
        """Return all values as a JSON object.

        Raises:
            TypeError: if a value has no JSON form; the message names its key.
        """
        for key, value in self.items():
            try:
                json.dumps(value)
            except (TypeError, ValueError) as error:
                raise TypeError(f"The value of key {key!r} has no JSON form: {error}.") from error
        return json.dumps(self.data)

    @staticmethod
    def from_json(text: str) -> "Context":
        """Make a context of a JSON object.

        Raises:
            ValueError: if `text` is no JSON, or no object.
        """
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError(f"A context comes from a JSON object, not from {type(data).__name__}.")  # noqa: TRY004 - the API's
        return Context(data)

    def shown(self) -> Mapping[str, Any]:
        """Return all values as they may be shown: with a mask in the place of each that is secret, or holds one."""
        return getattr(self, "_shown", masked)(self.data)

    # -- inside

    def _names(self) -> list[str]:
        names = dict.fromkeys((*self._scope.keys(), *self.changes))
        return [key for key in names if self.changes.get(key) is not DELETED]

    def _ask(self, key: str) -> None:
        """Take note that something about a key was asked."""
        if self._asked is None:
            self._asked = set()
        self._asked.add(key)

    # -- how it looks

    def __repr__(self) -> str:
        return f"Context({dict(self.shown())!r})"

    def _repr_html_(self) -> str:
        cell = "text-align:left;padding:2px 16px 2px 0;border:none;vertical-align:top"
        rows = "".join(
            f'<tr style="background:none"><td style="{cell};white-space:nowrap"><code>{html.escape(key)}</code></td>'
            f'<td style="{cell};overflow-wrap:anywhere">{html.escape(preview(value))}</td></tr>'
            for key, value in self.shown().items()
        )
        table = f'<table style="border-collapse:collapse;border:none;margin:0;max-width:100%">{rows}</table>'
        return table if rows else "<em>an empty context</em>"

    def _absent(self, key: str) -> ContextKeyError:
        known = self._names()
        there = f"Keys there are: {', '.join(map(repr, known))}." if known else "It has no keys."
        lineage: Lineage | None = getattr(self, "_lineage", None)
        elsewhere = lineage.setter(str(key), self._task_id) if lineage else ""
        return ContextKeyError(f"No key {key!r} in the context.{near_miss(str(key), known) or elsewhere} {there}")
