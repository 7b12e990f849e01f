"""Where the output of one attempt goes."""

import threading
from collections.abc import Callable

from cloaca_nb.engine.lines import Lines

__all__ = ["Sink"]


class Sink:
    """Where the output of one attempt goes, in whole lines; see `Lines`.

    Args:
        say: called with (stream, text). The stream is "stdout", "stderr", or "display": the text of what was displayed.
        hide: masks the secrets in a text; what is said needs that no more.
    """

    __slots__ = ("__weakref__", "_lines", "_lock", "_say", "hide")

    def __init__(self, say: Callable[[str, str], None], hide: Callable[[str], str]) -> None:
        self._say = say
        self.hide = hide
        self._lines: dict[str, Lines] = {}
        # Threads that an attempt starts in its own context write here too, and so may a `__del__` in the middle of it.
        self._lock = threading.RLock()

    def write(self, stream: str, text: str) -> None:
        """Pass whole lines on and keep the rest for later."""
        with self._lock:
            lines = self._lines.get(stream)
            if lines is None:
                lines = self._lines[stream] = Lines()
            whole = lines.add(text)
        if whole:
            self._say(stream, whole)

    def close(self) -> None:
        """Pass on what is left."""
        with self._lock:
            left = {stream: lines.rest() for stream, lines in self._lines.items()}
        for stream, text in left.items():
            if text:
                self._say(stream, text)
