"""The engine's own event loop: runs `async def` bodies and keeps the time for delays and timeouts."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Final

__all__ = ["Loop"]

logger: Final = logging.getLogger("cloaca_nb")


class Loop:
    """An asyncio loop on a daemon thread of its own, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is the one that serves the loop: what blocks it blocks every async body."""
        return threading.current_thread() is self._thread

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        """Call `function` on the loop's thread after `seconds`; it must be quick."""
        loop = self._running()
        loop.call_soon_threadsafe(lambda: loop.call_later(seconds, function))

    def run(
        self,
        body: Callable[[], Coroutine[Any, Any, Any]],
        context: Context,
        done: Callable[["asyncio.Task[Any]"], None],
    ) -> None:
        """Run the coroutine that `body` makes in `context`; `done` is called on the loop's thread with the task."""
        loop = self._running()

        def begin() -> None:
            if not self._closed.is_set():
                running = loop.create_task(body(), context=context)
                running.add_done_callback(done)

        loop.call_soon_threadsafe(begin)

    def close(self) -> None:
        """End the loop and what runs on it; nothing can be called or run afterwards."""
        self._closed.set()
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # a body stopped it at this very moment
                loop.call_soon_threadsafe(loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed.is_set():
                raise RuntimeError("The engine's event loop is closed.")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                arguments = (self._loop, self._closed)
                self._thread = threading.Thread(target=_serve, args=arguments, name="cloaca-loop", daemon=True)
                self._thread.start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop, closed: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    while not closed.is_set():  # a body that stops the loop, or leaves it by sys.exit, must not end the others
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            logger.debug("An async body raised %s; its own task has failed.", type(error).__name__)
    while open_tasks := asyncio.all_tasks(loop):
        for task in open_tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*open_tasks, return_exceptions=True))
    loop.close()
