"""The engine's own event loop: runs `async def` bodies and keeps the time for delays and timeouts."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

__all__ = ["Loop"]


class Loop:
    """An asyncio loop on a daemon thread of its own, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        """Call `function` on the loop's thread after `seconds`; it must be quick."""
        loop = self._running()
        loop.call_soon_threadsafe(lambda: loop.call_later(seconds, function))

    def run(
        self, body: Coroutine[Any, Any, Any], context: Context, done: Callable[["asyncio.Task[Any]"], None]
    ) -> None:
        """Run a coroutine in `context`; `done` is called on the loop's thread with the finished task."""
        loop = self._running()

        def begin() -> None:
            running = loop.create_task(body, context=context)
            running.add_done_callback(done)

        loop.call_soon_threadsafe(begin)

    def close(self) -> None:
        """End the loop and what runs on it."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve, args=(self._loop,), name="cloaca-loop", daemon=True).start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    open_tasks = asyncio.all_tasks(loop)
    for task in open_tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*open_tasks, return_exceptions=True))
    loop.close()
