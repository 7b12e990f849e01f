"""Attempts whose bodies don't run on the engine's own threads: in a process, or wherever an executor runs them."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Executor, Future
from contextvars import Context as Variables
from functools import partial
from typing import Any, Final, Protocol

from cloaca_nb.core.context import Context
from cloaca_nb.core.task import Task
from cloaca_nb.engine.failure import Account
from cloaca_nb.engine.means import Means
from cloaca_nb.engine.remote import Message, RemoteBody, Reply
from cloaca_nb.values.travel import LARGE, from_bytes, large_globals, to_bytes

__all__ = ["call_in_process", "error_of", "submit"]

MB: Final = 1e6


class Attempt(Protocol):
    """An attempt as this module sees it."""

    task: Task
    number: int
    context: Context
    account: Account | None
    is_over: bool
    stop: Callable[[], object] | None

    @property
    def means(self) -> Means:
        """What its run is driven with."""

    def call_body(self) -> BaseException | None:
        """Call the body in this process."""

    async def await_body(self) -> None:
        """Call an async body in this process."""

    def print(self, stream: str, text: str) -> None:
        """Say what it printed."""

    def report(self, done: float, total: float | None, message: str) -> None:
        """Say how far it is."""


def call_in_process(attempt: Attempt) -> BaseException | None:
    """Run the body in a worker process, block until it is over, and return the error that it failed with."""
    means = attempt.means
    try:
        body = _body_of(attempt)
        with means.processes.one_for(attempt) as process:
            attempt.stop = partial(process.kill_for, attempt)
            if attempt.is_over:  # given up before it began
                return None
            reply = process.run(body, partial(_hear, attempt), means.workers.released)
    except BaseException as error:  # noqa: BLE001 - whatever keeps the body from running fails its attempt
        return error
    finally:
        attempt.stop = None
    return _take_in(attempt, reply)


def submit(attempt: Attempt, executor: Executor, variables: Variables) -> "Future[Any]":
    """Hand the body to an executor; what it comes to is for `error_of`."""
    future = executor.submit(_Submitted(attempt, variables))
    attempt.stop = future.cancel
    return future


def error_of(attempt: Attempt, future: "Future[Any]") -> BaseException | None:
    """Take in what a body that was submitted came to, and return the error that it failed with."""
    try:
        came_to = future.result()
    except CancelledError:
        return RuntimeError(f"The executor of task {attempt.task.named} cancelled it: it was shut down, perhaps.")
    except BaseException as error:  # noqa: BLE001 - of the executor: a broken pool, a function that can't travel
        return error
    return _take_in(attempt, came_to) if isinstance(came_to, Reply) else came_to


class _Submitted:
    """What an executor gets: called in this process it is the attempt's own body, pickled it is a `RemoteBody`."""

    def __init__(self, attempt: Attempt, variables: Variables) -> None:
        self._attempt = attempt
        self._variables = variables

    def __call__(self) -> BaseException | None:
        return self._variables.run(_call_here, self._attempt)

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        return from_bytes, (to_bytes(_body_of(self._attempt)),)


def _call_here(attempt: Attempt) -> BaseException | None:
    if attempt.is_over:
        return None
    if not attempt.task.is_async:
        return attempt.call_body()
    return _outcome(attempt.await_body())


def _outcome(body: Coroutine[Any, Any, None]) -> BaseException | None:
    try:
        asyncio.run(body)
    except BaseException as error:  # noqa: BLE001 - sys.exit in a body must not end the executor's thread
        return error
    return None


def _body_of(attempt: Attempt) -> RemoteBody:
    task = attempt.task
    try:
        body = RemoteBody(task, attempt.context.inherited())
    except Exception as error:
        raise TypeError(
            f"The function of task {task.named} can't travel to another process: {error}. Make in its body what it "
            "needs, or leave `executor` out."
        ) from error
    if len(body.function) > LARGE and attempt.number == 1:
        _warn_of_large(attempt)
    return body


def _warn_of_large(attempt: Attempt) -> None:
    named = [f"{name} ({size / MB:,.0f} MB)" for name, size in large_globals(attempt.task.function)]
    attempt.print(
        "stderr",
        f"Warning: task {attempt.task.named} takes {', '.join(named) or 'large values'} along to its process, anew for "
        "each attempt: load it in the body, or put it in the context.\n",
    )


def _take_in(attempt: Attempt, reply: Reply) -> BaseException | None:
    for message in reply.said:
        _hear(attempt, message)
    attempt.account = reply.account
    if reply.account is not None:
        return reply.exception()
    try:
        changes = reply.unpacked()
    except Exception as error:  # noqa: BLE001 - a class that only the other process can import
        return error
    attempt.context.take_over(reply.read, changes)
    return None


def _hear(attempt: Attempt, message: Message) -> None:
    kind, *facts = message
    if kind == "printed":
        attempt.print(*facts)
    else:
        attempt.report(*facts)
