"""Where a history lies: what each form of database URL means."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloaca_nb.errors import ConfigurationError, near_miss

__all__ = ["ELSEWHERE", "HISTORY_VARIABLE", "Location", "parse_url"]

HISTORY_VARIABLE: Final = "CLOACA_HISTORY"
ELSEWHERE: Final = (  # what to do about a place that can't be written to
    f"name another place for the history: {HISTORY_VARIABLE}=/path/to/history.duckdb, "
    "or :memory: to keep it only while this process lives"
)
FOLDER: Final = ".cloaca"
FILE: Final = "history.duckdb"
IN_MEMORY: Final = frozenset({":memory:", "sqlite://:memory:", "sqlite:///:memory:", "duckdb:///:memory:"})
SUPPORTED: Final = (
    "Supported are duckdb:///relative.duckdb, duckdb:////absolute.duckdb, a bare path, :memory:, "
    "and sqlite:///NAME.db, which is kept in NAME.duckdb."
)
ODD: Final = "?" if os.name == "nt" else "?\\"  # characters that DuckDB reads as something else
SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: "C:" is a drive


@dataclass(frozen=True, slots=True)
class Location:
    """Where a history lies.

    Attributes:
        path: the database file, absolute; None: in memory only.
        note: what the user should be told once about how the URL was taken; empty where it says itself.
    """

    path: Path | None
    note: str = ""

    @property
    def journals(self) -> Path:
        """The folder of the journals beside the database; only for one that has a file."""
        path = self._file
        return path.with_name(f"{path.name}-journals")

    @property
    def secret_key(self) -> Path | None:
        """The file with the key for digests of secrets, beside the database; None where that is in memory."""
        return None if self.path is None else self.path.with_name(f"{self.path.name}-secret-key")

    @property
    def hidden_folder(self) -> Path | None:
        """The `.cloaca` folder that the database lies in, or None where it lies elsewhere."""
        return self.path.parent if self.path is not None and self.path.parent.name == FOLDER else None

    @property
    def _file(self) -> Path:
        if self.path is None:
            raise ConfigurationError("A history in memory has no files beside it.")
        return self.path

    def __str__(self) -> str:
        return ":memory:" if self.path is None else str(self.path)


def parse_url(url: str | os.PathLike[str] | None, *, environ: Mapping[str, str], cwd: Path) -> Location:
    """Return where the history of `url` lies; nothing is created or opened.

    Args:
        url: None for the history of the working directory, a database URL, or a bare path.
        environ: where `CLOACA_HISTORY` is looked up, for None.
        cwd: what relative paths start from.

    Raises:
        ConfigurationError: for a URL that DuckDB can't serve; the message says what is supported.
    """
    if url is None:
        set_elsewhere = environ.get(HISTORY_VARIABLE)
        return parse_url(set_elsewhere, environ={}, cwd=cwd) if set_elsewhere else Location(_checked(_nearest(cwd)))
    if not isinstance(url, str):
        return Location(_resolve(os.fspath(url), cwd, str(url)))
    if url in IN_MEMORY:
        return Location(None)
    if "?" in url:
        shown = _without_credentials(url.partition("?")[0])
        raise ConfigurationError(f"{shown!r} has a query string; options aren't read from it, so leave it out.")
    scheme = SCHEME.match(url)
    return _of_scheme(url, scheme[1].lower(), cwd) if scheme else Location(_resolve(url, cwd, url))


def _nearest(cwd: Path) -> Path:
    """Return the nearest history upward from `cwd`, as git finds its folder, else the place for a new one."""
    here = cwd.resolve()
    places = (folder / FOLDER / FILE for folder in (here, *here.parents))
    return next((place for place in places if place.is_file()), here / FOLDER / FILE)


def _of_scheme(url: str, scheme: str, cwd: Path) -> Location:
    shown = _without_credentials(url)
    if scheme not in ("duckdb", "sqlite"):
        hint = near_miss(scheme, ["duckdb", "sqlite"])
        raise ConfigurationError(f"Unsupported database URL {shown!r}: history is kept in DuckDB.{hint} {SUPPORTED}")
    if not url[len(scheme) :].startswith(":///"):
        raise ConfigurationError(f"{shown!r} is no database URL: {scheme}: is followed by three slashes. {SUPPORTED}")
    named = _resolve(url[len(scheme) + 4 :], cwd, url)
    if scheme == "duckdb":
        return Location(named)
    path = named.with_suffix(".duckdb")
    return Location(path, f"{url} is kept in {path.name}: history is a DuckDB file; no SQLite file is touched.")


def _resolve(text: str, cwd: Path, url: str) -> Path:
    if not text.strip() or text.endswith(("/", "\\")):
        raise ConfigurationError(f"{url!r} names no database file. {SUPPORTED}")
    try:
        path = (cwd / Path(text).expanduser()).resolve()
        is_folder = path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null character, an unknown `~user`
        raise ConfigurationError(f"{url!r} names no database file: {error}. {SUPPORTED}") from error
    if is_folder:
        raise ConfigurationError(f"{url!r} is a folder; name a file in it, e.g. {text}/{FILE}.")
    return _checked(path)


def _checked(path: Path) -> Path:
    """Return a path that DuckDB takes as it is: of others it makes different ones, or nothing."""
    try:
        odd = next((f"a '{one}' in its path" for one in ODD if one in os.fspath(path)), "")
        os.fspath(path).encode()
    except UnicodeEncodeError:
        odd = "a path that isn't valid Unicode"
    if odd:
        raise ConfigurationError(f"DuckDB opens no file with {odd}, as {str(path)!a} has: {ELSEWHERE}.")
    return path


def _without_credentials(url: str) -> str:
    """Return the URL without user name and password, which must not end up in a saved notebook."""
    return re.sub(r"//[^/]*@", "//", url)
