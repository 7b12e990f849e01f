"""A body that runs in another process: what travels there, what it says meanwhile, and what comes back.

Both sides import this module. The body gets a context of its own, made of the values that its task inherits; each is
unpacked when it is first read. What it printed and reported, what it read and changed, and how it failed come back.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TypeAlias

from cloaca_nb.core.context import Context
from cloaca_nb.core.scope import Scope
from cloaca_nb.core.task import Task
from cloaca_nb.engine.deferral import SHORTEST_POLL, holds, polled
from cloaca_nb.engine.failure import Account, give_account
from cloaca_nb.engine.handle import TaskHandle
from cloaca_nb.engine.log_settings import LogSettings
from cloaca_nb.engine.output import capture, speaking
from cloaca_nb.engine.returned import check_returned
from cloaca_nb.values.travel import Packed, from_bytes, pack, to_bytes, unpack

__all__ = ["Message", "RemoteBody", "Reply", "Say"]

Message: TypeAlias = tuple[Any, ...]  # ("printed", stream, text) or ("progress", done, total, message)
Say: TypeAlias = Callable[[Message], None]
Released: TypeAlias = Callable[[], AbstractContextManager[Any]]


class Reply(NamedTuple):
    """What comes back.

    Attributes:
        read: keys that the body read.
        changes: what it set or deleted; empty if it failed.
        account: how it failed; None: it completed.
        error: the exception itself, pickled; empty where it can't travel.
        said: what it printed and reported, where that didn't come back at once.
    """

    read: tuple[str, ...] = ()
    changes: tuple[Packed, ...] = ()
    account: Account | None = None
    error: bytes = b""
    said: tuple[Message, ...] = ()

    def unpacked(self) -> dict[str, Any]:
        """Return the changes as a context knows them; raises what unpickling a value raises."""
        return {packed.key: unpack(packed) for packed in self.changes}

    def exception(self) -> BaseException | None:
        """Return the exception that the body failed with; one that says the same if it can't be made anew."""
        if self.account is None:
            return None
        try:
            error = from_bytes(self.error)
        except Exception:  # noqa: BLE001 - the user's exception may take other arguments than it says
            error = None
        return error if isinstance(error, BaseException) else _stand_in(self.account)


class RemoteBody:
    """The body of a task with the values that it may read; calling it gives a `Reply`.

    Args:
        task: whose body.
        values: what it inherits.

    Raises:
        Exception: whatever pickling the function raises.
    """

    def __init__(self, task: Task, values: Mapping[str, Any]) -> None:
        self.named = task.named
        self.function = to_bytes(task.function)
        self.takes_handle = task.handle is not None
        self.is_async = task.is_async
        self.logging = LogSettings.of_this_process()
        self.values = tuple(pack(key, value) for key, value in values.items())

    def __call__(self) -> Reply:
        """Run it for an executor: what it says comes back with the reply."""
        said: list[Message] = []
        reply = self.run(said.append)
        return reply._replace(said=tuple(said))

    def run(self, say: Say, released: Released = nullcontext) -> Reply:
        """Run it.

        Args:
            say: told what it prints and reports, as it does.
            released: entered while it only waits.
        """
        context = Context.of(Scope("", (), {packed.key: packed for packed in self.values}), unpack)
        side = _Side(self.is_async, say, released)
        capture.start()
        try:
            error = self._call(context, side)
        finally:
            side.is_over = True
            capture.stop()
        return _failed(context, error) if error is not None else _completed(context)

    def _call(self, context: Context, side: "_Side") -> BaseException | None:
        handle = TaskHandle.of(side)
        with self.logging.applied(), speaking(handle):
            try:
                function = from_bytes(self.function)
                returned = function(context, handle) if self.takes_handle else function(context)
                if self.is_async:
                    returned = asyncio.run(returned)
                handle.check_deferrals()
                check_returned(self, context, returned)
            except BaseException as error:  # noqa: BLE001 - sys.exit in a body fails its attempt
                return error
        return None


class _Side:
    """The attempt as its body's handle sees it in the other process: where a cancelled one is killed."""

    def __init__(self, is_async: bool, say: Say, released: Released) -> None:  # noqa: FBT001 - a fact, no switch
        self.is_async = is_async
        self.is_over = False
        self.cancelled = False
        self._say = say
        self._released = released

    def print(self, stream: str, text: str) -> None:
        if not self.is_over:
            self._say(("printed", stream, text))

    def hide(self, text: str) -> str:
        return text  # done where it arrives

    def report(self, done: float, total: float | None, message: str) -> None:
        self._say(("progress", done, total, message))

    def wait_without_slot(self, condition: Callable[[], Any], poll_s: float) -> None:
        if holds(condition):
            return
        with self._released():
            while not holds(condition):
                time.sleep(max(poll_s, SHORTEST_POLL))

    async def poll(self, condition: Callable[[], Any], poll_s: float) -> None:
        await polled(condition, poll_s)


def _completed(context: Context) -> Reply:
    changes = tuple(pack(key, value) for key, value in context.changes.items())
    for packed in changes:
        if packed.obstacle:
            return _failed(context, TypeError(f"{packed.obstacle} Put a plain value in it, or leave `executor` out."))
    return Reply(context.keys_read, changes)


def _failed(context: Context, error: BaseException) -> Reply:
    return Reply(context.keys_read, account=give_account(error), error=pack("", error).data)


def _stand_in(account: Account) -> BaseException:
    return RuntimeError(f"{account.exception}: {account.message}")
