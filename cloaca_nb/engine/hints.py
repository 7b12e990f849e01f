"""What helps against errors that come from where a body runs: on a thread of its own, or on the engine's event loop."""

from typing import Final

from cloaca_nb import values

__all__ = ["hint"]

OWN_CONNECTION: Final = (
    "A task runs on a thread of its own: open the connection in the task that uses it, or with "
    "`check_same_thread=False`."
)
OWN_PROCESS: Final = (
    'A task runs on a thread of its own: give it a process, where this works, with executor="process" '
    "(in a cell: --executor process)."
)
OWN_LOOP: Final = "A task runs on a thread of its own: make it `async def` and `await`, or use `asyncio.run(…)`."
OUR_LOOP: Final = "An `async def` task runs on an event loop already: `await` it instead."

# The exception's type, words of its text, and what helps.
HINTS: Final = (
    ("ProgrammingError", "created in a thread can only be used in that same thread", OWN_CONNECTION),
    ("ValueError", "signal only works in main thread", OWN_PROCESS),
    ("RuntimeError", "There is no current event loop in thread", OWN_LOOP),
    ("RuntimeError", "asyncio.run() cannot be called from a running event loop", OUR_LOOP),
    ("RuntimeError", "This event loop is already running", OUR_LOOP),
)


def hint(error: BaseException) -> str:
    """Return the fix for an error that is due to how bodies are run or given their values; empty if it isn't.

    >>> hint(RuntimeError("This event loop is already running"))
    'An `async def` task runs on an event loop already: `await` it instead.'
    """
    name, text = type(error).__name__, str(error)
    found = (fix for kind, words, fix in HINTS if kind == name and words in text)
    return next(found, "") or values.hint(error)
