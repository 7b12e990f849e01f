"""Masks for what is new in every run: times within it, and paths below the folders where it works."""

import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath
from typing import Any, Final

__all__ = ["PATH", "TIME", "Masks"]

TIME: Final = "<time>"
PATH: Final = "<path>"
SLACK: Final = timedelta(seconds=1)  # clocks are read in turn
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class Masks:
    """What is masked.

    Attributes:
        began: with a time zone: times from here
        ended: to here.
        folders: paths below these, as text.
    """

    began: datetime
    ended: datetime
    folders: tuple[str, ...]

    @classmethod
    def here(cls, began: datetime, ended: datetime) -> "Masks":
        """Return the masks of a run of this user, in this working directory."""
        folders = {str(one) for one in (Path.cwd(), Path.home(), Path(tempfile.gettempdir())) if len(one.parts) > 1}
        return cls(began, ended, tuple(sorted(folders, key=len, reverse=True)))

    def masked(self, value: Any) -> Any:
        """Return a value with a word in the place of each time and path that is masked, also in containers."""
        kind = type(value)
        if kind in (list, tuple):
            return kind(map(self.masked, value))
        if kind is dict:
            return {key: self.masked(one) for key, one in value.items()}
        if kind is str:
            return self._text(value)
        if kind is datetime:
            return self._time(value)
        if kind is float:
            return self._seconds(value)
        return self._text(str(value)) if isinstance(value, PurePath) and self._is_ours(str(value)) else value

    def _time(self, value: datetime) -> Any:
        return TIME if self._is_within(value) else value

    def _seconds(self, value: float) -> Any:
        begin, end = (one.timestamp() for one in (self.began - SLACK, self.ended + SLACK))
        return TIME if begin <= value <= end else value

    def _text(self, value: str) -> str:
        for folder in self.folders:
            value = re.sub(re.escape(folder) + r"(?=[/\\]|$)[^\s'\"]*", PATH, value)
        return _ISO.sub(lambda found: TIME if self._says_within(found[0]) else found[0], value)

    def _is_ours(self, path: str) -> bool:
        return any(path == folder or path.startswith((f"{folder}/", f"{folder}\\")) for folder in self.folders)

    def _says_within(self, text: str) -> bool:
        try:
            return self._is_within(datetime.fromisoformat(text))
        except ValueError:  # it only looks like a time
            return False

    def _is_within(self, value: datetime) -> bool:
        """Say whether a time is within the run; one without a zone may be meant as UTC or as on the clocks here."""
        readings = [value] if value.tzinfo else [value.replace(tzinfo=UTC), value.astimezone()]
        return any(self.began - SLACK <= one <= self.ended + SLACK for one in readings)
