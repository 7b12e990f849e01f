"""What must be known about one family of types, so that their values can be copied, compared and recorded."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeAlias

__all__ = ["Adapter", "Apart", "Behind", "Code", "Digest", "Either", "Isolation", "Raw", "Verdict"]

Code: TypeAlias = type | str  # a class, or the name of a module
Digest: TypeAlias = Callable[[Any], bytes]  # of a value that is nested in a part without order, e.g. in a set
# Whether a copy differs from its original, or the pairs of parts that decide it.
Verdict: TypeAlias = bool | Iterable[tuple[Any, Any]]


class Either(NamedTuple):
    """A part that is more than what makes it equal to another, e.g. -0.0, or a RangeIndex."""

    exact: Callable[[], Any]  # returns what a digest covers: all that history gives back
    canonical: Callable[[], Any]  # returns what is compared: the same for all that are equal


class Apart(NamedTuple):
    """A part that counts by its own digest, because it may be kept on its own. Only digests get to see it."""

    value: Any


class Behind(NamedTuple):
    """What a part leads to by name: classes, and modules of functions. It isn't in the value; only digests see it."""

    code: frozenset[Code]


class Raw(NamedTuple):
    """The exact bytes of a part, where they lie in memory; not copied. Only digests get to see it."""

    data: Any  # contiguous, of the type "B"


class Isolation(Protocol):
    """One walk through a value that copies what could be changed in place."""

    memo: dict[int, Any]  # the copies by the id of their original, as `copy.deepcopy` keeps them

    def __call__(self, value: Any) -> Any:
        """Return the copy of a nested value; a container's copy may be filled later."""

    def later(self, fill: Callable[[Any, "Isolation"], None], copy: Any) -> None:
        """Call `fill(copy, isolation)` before the walk ends: no recursion, so circles and depth are harmless."""


class Adapter(Protocol):
    """The interface that each adapter module offers by functions of these names."""

    def isolate(self, value: Any, copies: Isolation) -> Any:
        """Return what a task gets that reads this value: no change that it makes in place is seen elsewhere."""

    def equal(self, a: Any, b: Any) -> bool | None:
        """Return whether two values of one type are equal, or None: exactly if their parts are."""

    def parts(self, value: Any, digest: Digest) -> Iterable[Any]:
        """Return what the value consists of beside its type, cheapest first; see `Either`, `digest` for sets."""

    def preview(self, value: Any) -> str:
        """Return one line for people; the caller cuts it off."""
