"""What history keeps of the values of a run: each is described, and kept under its digest, once."""

import weakref
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from cloaca_nb.core.secret import MASK, Secret
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.artifacts import Kept
from cloaca_nb.history.secret_digest import SecretDigest, is_of_secret
from cloaca_nb.values.adapter import Code

__all__ = ["LARGE", "NONE_READY", "Account", "Accounts", "Describe", "Keep", "Ready", "text_of"]

LARGE: Final = 1 << 16  # bytes from which on digesting a value again would cost
UNCHANGING: Final = frozenset({bool, bytes, float, int, str, type(None)})
NOT_KEPT: Final = "It is a secret, or holds one, and history keeps none."
ONLY_COMPARED: Final = "It is kept only to be compared with."
NONE_READY: Final[Mapping[int, "Ready"]] = MappingProxyType({})
Mark = Callable[[], Any]  # gives back the object that was described, or None when that is gone


class Described(Protocol):
    """What identifies a value, and what a person sees of it."""

    @property
    def type(self) -> str:
        """The name of its type."""

    @property
    def digest(self) -> str:
        """Equal for equal values."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def preview(self) -> str:
        """Short JSON or text."""

    @property
    def exact(self) -> bool:
        """Whether equal digests mean equal values."""

    @property
    def behind(self) -> frozenset[Code]:
        """Its classes, and modules of functions in it, that aren't Python's own."""


Describe = Callable[[Any], Described]
Keep = Callable[[Any, str, int], Kept]


class Account(NamedTuple):
    """What history says of one value, in the order of its row."""

    type: str = ""
    digest: str = ""
    size: int = 0
    preview: str = ""
    codec: str | None = None  # how it is kept; None: it isn't
    data: str | None = None  # itself, where it is small; None: an artifact, or a row of this run with the same digest
    problem: str = ""  # why it isn't kept


class Ready(NamedTuple):
    """What was found out of a value before its event is taken in."""

    value: Any  # held, so that no other gets its identity
    described: Described
    account: Account | None  # None: the value is only read


class _Plain(NamedTuple):
    """A description made by hand, where a value has none."""

    type: str
    digest: str
    size: int
    preview: str
    exact: bool
    behind: frozenset[Code] = frozenset()


class Accounts:
    """The accounts of one run's values; for one thread, but for `make_ready`.

    Args:
        describe: tells type, digest, size and preview of a value.
        keep: keeps a value, given its digest and size.
        secret_digest: makes of the digest of a secret one that tells nobody else anything.
    """

    def __init__(
        self,
        describe: Describe,
        keep: Keep,
        secret_digest: Callable[[str], str] = SecretDigest(None),  # noqa: B008
    ) -> None:
        self._describe = describe
        self._keep = keep
        self._secret_digest = secret_digest
        self._described: dict[int, tuple[Mark, Described]] = {}  # by identity
        self._codecs: dict[str, str] = {}  # of what rows say how it is kept, by digest
        self.ready = NONE_READY  # what is known of the values of the event at hand, by identity
        self.error: HistoryError | None = None  # the last with which the disk refused a value

    def of(self, value: Any, *, is_set: bool = False) -> Account:
        """Describe a value and keep it; never raises.

        Args:
            value: the value.
            is_set: whether a task has just set it: it may be what another task set before, and changed since.
        """
        ready = self.ready.get(id(value)) if self.ready else None
        if ready is None or ready.account is None:
            return self._said(self._account(value, self._described_at(value, is_set=is_set)))
        return self._said(ready.account)

    def make_ready(self, value: Any, *, is_set: bool = False, is_read: bool = False) -> Ready:
        """Describe a value, and keep it unless it is only read, while another thread takes in other events."""
        described = self._described_at(value, is_set=is_set)
        return Ready(value, described, None if is_read else self._account(value, described))

    def is_known(self, value: Any) -> bool:
        """Whether a value that tasks inherit was described before, and need not be again."""
        remembered = self._described.get(id(value))
        return remembered is not None and remembered[0]() is value

    def is_kept(self, value: Any) -> bool:
        """Whether a value that tasks inherit is known, and a row says how it is kept."""
        remembered = self._described.get(id(value))
        return remembered is not None and remembered[0]() is value and remembered[1].digest in self._codecs

    def _described_at(self, value: Any, *, is_set: bool) -> Described:
        return self._describe_anew(value) if is_set and type(value) not in UNCHANGING else self.describe(value)

    def _account(self, value: Any, described: Described) -> Account:
        if type(value) is Secret:
            return Account(described.type, described.digest, 0, MASK, None, None, NOT_KEPT)
        known = self._codecs.get(described.digest)
        kept = Kept(known) if known else self._kept(value, described)
        return Account(described.type, described.digest, described.size, described.preview, *kept)

    def _said(self, account: Account) -> Account:
        """Note how a value is kept, as a row says so from now on; a small one stands in the first row alone."""
        if account.codec is None:
            return account
        if account.digest in self._codecs:
            return account if account.data is None else account._replace(data=None)
        self._codecs[account.digest] = account.codec
        return account

    def describe(self, value: Any) -> Described:
        """Describe a value that tasks inherit: only once what can't change, and what it takes time to look at."""
        if self.ready and (ready := self.ready.get(id(value))) is not None:
            return ready.described
        remembered = self._described.get(id(value))
        if remembered is not None and remembered[0]() is value:
            return remembered[1]
        return self._describe_anew(value)

    def _describe_anew(self, value: Any) -> Described:
        kind = type(value)
        if kind is Secret:
            return self._describe_secret(value)
        described = _describe_anyhow(self._describe, value)
        self._described.pop(id(value), None)
        if kind in UNCHANGING:
            self._described[id(value)] = (partial(_itself, value), described)
        elif described.size >= LARGE or described.behind:  # code of its class may take any time
            # A list can't be referred to weakly; the run's scopes hold it as long as this does.
            mark = weakref.ref(value) if kind.__weakrefoffset__ else partial(_itself, value)
            self._described[id(value)] = (mark, described)
        return described

    def _describe_secret(self, secret: Secret) -> Described:
        described = _describe_anyhow(self._describe, secret.reveal())
        digest = self._secret_digest(described.digest) if described.digest else ""
        return _Plain(described.type, digest, 0, MASK, described.exact, described.behind)

    def compared(self, value: Any) -> Account:
        """Return of a value that isn't kept what tells it from another: nothing if that can't be told."""
        described = self.describe(value)
        return Account(described.type, described.digest if described.exact else "", problem=ONLY_COMPARED)

    def is_still(self, value: Any, digest: str) -> bool:
        """Say whether a value surely has the digest that history has of an earlier one.

        Args:
            value: as it is, a secret perhaps.
            digest: of a value, or of a secret.
        """
        described = self.describe(Secret(value) if is_of_secret(digest) else value)
        return described.exact and described.digest == digest

    def _kept(self, value: Any, described: Described) -> Kept:
        if not described.digest:
            return Kept(None, problem=described.preview)
        try:
            return self._keep(value, described.digest, described.size)
        except HistoryError as error:
            self.error = error
            return Kept(None, problem=str(error))
        except BaseException as error:  # noqa: BLE001 - see `_describe_anyhow`
            return Kept(None, problem=f"it can't be kept: {type(error).__name__}{text_of(error)}")


def _itself(value: Any) -> Any:
    return value


def _describe_anyhow(describe: Describe, value: Any) -> Described:
    """Describe a value; one whose own code fails must not cost the run its history."""
    try:
        return describe(value)
    except BaseException as error:  # noqa: BLE001 - any value's own code may raise anything; the row says so
        name = type(value).__qualname__
        problem = f"<{name} can't be described: {type(error).__name__}{text_of(error)}>"
        return _Plain(name, "", 0, problem, exact=False)


def text_of(error: BaseException) -> str:
    """Return the text of an error behind a colon; empty where its own code fails at that, too."""
    try:
        return f": {error}"
    except BaseException:  # noqa: BLE001 - nor need its text be to be had
        return ""
